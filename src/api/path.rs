//! Names in paths and queries, read by the types of the house; what doesn't parse is a problem.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::app::{Answer, App};
use super::problem::ApiError;
use crate::ids::IdError;

/// The names in a request's path.
pub(super) struct InPath(Vec<(String, String)>);

/// A query.
pub(super) struct InQuery<T>(pub(super) T);

/// The form of a query, and how a query of another form is refused.
pub(super) trait Queried: DeserializeOwned + Send {
    /// What was found or wanted, in words.
    const WANTED: &'static str;
}

impl FromRequestParts<App> for InPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        // A path that isn't UTF-8 has no names here, and then none of them parses.
        let names = RawPathParams::from_request_parts(parts, app).await;
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Ok(Self(names.iter().flat_map(|names| names.iter().map(owned)).collect()))
    }
}

impl InPath {
    /// The name that stands in the path where the route has this one in braces.
    pub(super) fn read<T, E: Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Answer<T> {
        let found = self.0.iter().find(|(known, _)| known == name);
        // No type of the house takes a replacement character.
        parse(found.map_or("\u{fffd}", |(_, value)| value))
            .map_err(|e| ApiError::malformed(e.to_string()))
    }

    /// As `read`, for an id of 32 hexadecimal digits.
    pub(super) fn id<T: FromStr<Err = IdError>>(&self, name: &str) -> Answer<T> {
        self.read(name, |digits| {
            digits.parse().map_err(|_| "an id in the path is not 32 hexadecimal digits")
        })
    }
}

impl<T: Queried> FromRequestParts<App> for InQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let query: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, app).await;
        query.map(|Query(query)| Self(query)).map_err(|_| ApiError::malformed(T::WANTED))
    }
}
