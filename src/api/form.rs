//! Bodies: JSON, forms of one JSON part and one photo part, each within its bound and nothing else;
//! and files that are answered.

use std::sync::Arc;

use axum::extract::Request;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

use super::problem::ApiError;
use crate::limits::{BODY_BYTES_MAX, JSON_BYTES_MAX, PHOTO_BYTES_MAX};
use crate::rule::Rule;

/// The multipart part with the photo.
pub const PHOTO_PART: &str = "photo";

/// Reads a body of a JSON part with this name and a photo part.
///
/// Errors: a body of another type; a part that is missing, unknown, there twice or too large; JSON
/// of another form; a body that ends before its last boundary.
pub(super) async fn read<T: DeserializeOwned>(
    body: Result<Multipart, MultipartRejection>,
    json_part: &str,
) -> Result<(T, Arc<[u8]>), ApiError> {
    let mut body = body.map_err(|_| {
        let wanted =
            "the body is no form, wanted the content type multipart/form-data with its boundary";
        ApiError::new(Rule::ContentType, wanted)
    })?;
    let (mut json, mut photo) = (None, None);
    while let Some(field) = body.next_field().await.map_err(|e| torn(&e))? {
        let name = field.name().unwrap_or_default().to_owned();
        let (part, bytes_max) = match name.as_str() {
            PHOTO_PART => (&mut photo, PHOTO_BYTES_MAX),
            name if name == json_part => (&mut json, JSON_BYTES_MAX),
            other => {
                let found: String = other.chars().filter(|c| !c.is_control()).take(40).collect();
                return Err(ApiError::malformed(format!(
                    "a part '{found}' was found, wanted '{json_part}' and '{PHOTO_PART}'"
                )));
            }
        };
        if part.is_some() {
            return Err(ApiError::malformed(format!("two parts '{name}' were found, wanted one")));
        }
        *part = Some(bytes(field, &name, bytes_max).await?);
    }
    let missing = |name: &str| {
        ApiError::malformed(format!(
            "no part '{name}' was found, wanted '{json_part}' and '{PHOTO_PART}'"
        ))
    };
    let json = json.ok_or_else(|| missing(json_part))?;
    let photo = photo.ok_or_else(|| missing(PHOTO_PART))?;
    Ok((parse(json_part, &json)?, photo.into()))
}

/// Reads a body that is JSON.
pub(super) async fn read_json<T: DeserializeOwned>(
    request: Request,
    what: &str,
) -> Result<T, ApiError> {
    let json = axum::body::to_bytes(request.into_body(), JSON_BYTES_MAX).await;
    parse(what, &json.map_err(|_| ApiError::too_large("the body (or it is torn)", JSON_BYTES_MAX))?)
}

/// Parses JSON; unknown fields and wrong values are told with their place.
pub(super) fn parse<T: DeserializeOwned>(what: &str, json: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(json)
        .map_err(|e| ApiError::new(Rule::Json, format!("the JSON of '{what}' is wrong: {e}")))
}

/// A file to be kept under this name.
pub(super) fn download(
    file: Vec<u8>,
    media_type: &'static str,
    name: &str,
) -> Result<impl IntoResponse + use<>, ApiError> {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .map_err(|_| ApiError::failed())?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, file))
}

async fn bytes(mut field: Field<'_>, name: &str, bytes_max: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|e| torn(&e))? {
        if bytes.len() + chunk.len() > bytes_max {
            return Err(ApiError::too_large(&format!("the part '{name}'"), bytes_max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn torn(error: &MultipartError) -> ApiError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large("the body", BODY_BYTES_MAX),
        _ => ApiError::malformed(format!(
            "the body is torn or no multipart form: {}",
            error.body_text()
        )),
    }
}
