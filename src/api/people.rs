//! People: accounts, and changes of who may do what, which an administrator asks for and the
//! commander approves.

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::on;
use serde::{Deserialize, Serialize};

use super::app::{Answer, Call};
use super::form;
use super::path::InPath;
use super::problem::ApiError;
use super::route::Method::{Delete, Get, Post};
use super::route::{ACCOUNT_READERS, ADMINISTRATORS, Access, COMMANDERS, OFFICIALS, Route};
use super::touch::{ChallengeView, Touched};
use crate::audit::touch::{Credential, Touch, lower_hex};
use crate::booking::{Identifier, Text};
use crate::calendar::Time;
use crate::ids::GrantId;
use crate::ledger::Grant;
use crate::roster::{Account, Person};
use crate::service::{AccountStanding, GrantOrder, Service};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Get, "/v1/people", Access::People(ACCOUNT_READERS), |m| on(m, get_people)),
    Route::new(Post, "/v1/people/{person}/key/challenge", BY_ADMINISTRATORS, |m| {
        on(m, post_key_challenge)
    }),
    Route::new(Post, "/v1/people/{person}/off", BY_EITHER, |m| on(m, post_off)),
    Route::new(Post, "/v1/people/{person}/confirm", BY_ADMINISTRATORS, |m| on(m, post_confirm)),
    Route::new(Post, "/v1/people/{person}/release/challenge", BY_EITHER, |m| {
        on(m, post_release_challenge)
    }),
    Route::new(Post, "/v1/people/{person}/release", BY_EITHER, |m| on(m, post_release)),
    Route::new(Get, "/v1/grants", Access::People(ACCOUNT_READERS), |m| on(m, get_grants)),
    Route::new(Post, "/v1/grants", BY_ADMINISTRATORS, |m| on(m, post_grant)),
    Route::new(Post, "/v1/grants/challenge", BY_ADMINISTRATORS, |m| on(m, post_grant_challenge)),
    Route::new(Delete, "/v1/grants/{grant}", BY_COMMANDERS, |m| on(m, delete_grant)),
    Route::new(Post, "/v1/grants/{grant}/approval/challenge", BY_COMMANDERS, |m| {
        on(m, post_approval_challenge)
    }),
    Route::new(Post, "/v1/grants/{grant}/approval", BY_COMMANDERS, |m| on(m, post_approval)),
];

const BY_ADMINISTRATORS: Access = Access::People(ADMINISTRATORS);
const BY_COMMANDERS: Access = Access::People(COMMANDERS);
/// A locked account is released by an administrator, an administrator's by the commander, too.
const BY_EITHER: Access = Access::People(OFFICIALS);

/// An account as it is shown to those who manage or audit it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountView {
    /// The account.
    #[schema(value_type = Object)]
    pub account: Account,
    /// Its key.
    #[schema(value_type = Option<Object>)]
    pub key: Option<Credential>,
    /// Whether somebody must confirm that the person still needs it.
    pub review_due: bool,
}

/// What an administrator is about to ask for.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// What.
    pub order: GrantOrder,
    /// The challenge by which the new key was made, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_nonce: Option<String>,
}

/// The same, touched.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantTouched {
    /// What.
    pub order: GrantOrder,
    /// The challenge by which the new key was made, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_nonce: Option<String>,
    /// The challenge that was answered.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub nonce: [u8; 32],
    /// The answer.
    pub touch: Touch,
}

/// What waits for the commander.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantView {
    /// Its id, hexadecimal.
    #[schema(value_type = String)]
    pub id: GrantId,
    /// The person as it shall be.
    #[schema(value_type = Object)]
    pub person: Person,
    /// The person's new key.
    #[schema(value_type = Option<Object>)]
    pub key: Option<Credential>,
    /// Who asked for it.
    #[schema(value_type = String)]
    pub asked_by: Identifier,
    /// When.
    pub asked_cs: Time,
}

/// A change of the roster that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantAsked {
    /// Its id, hexadecimal.
    #[schema(value_type = String)]
    pub id: GrantId,
}

/// Why something is declined or withdrawn.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// In words.
    pub reason: String,
}

async fn get_people(call: Call) -> Answer<Json<Vec<AccountView>>> {
    let people = call.at_desk(Service::people).await?;
    Ok(Json(people.into_iter().map(AccountView::from).collect()))
}

async fn post_key_challenge(call: Call, path: InPath) -> Answer<Json<ChallengeView>> {
    let person = path.read("person", Identifier::parse)?;
    let asked = call.at_desk(move |service, desk| {
        ChallengeView::of(service, service.challenge_key(desk, &person))
    });
    asked.await.map(Json)
}

async fn post_off(call: Call, path: InPath) -> Answer<StatusCode> {
    let person = path.read("person", Identifier::parse)?;
    call.at_desk(move |service, desk| service.turn_off(desk, &person)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn post_confirm(call: Call, path: InPath) -> Answer<StatusCode> {
    let person = path.read("person", Identifier::parse)?;
    call.at_desk(move |service, desk| service.confirm_account(desk, &person)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn post_release_challenge(call: Call, path: InPath) -> Answer<Json<ChallengeView>> {
    let person = path.read("person", Identifier::parse)?;
    let asked = call.at_desk(move |service, desk| {
        ChallengeView::of(service, service.challenge_release(desk, &person))
    });
    asked.await.map(Json)
}

async fn post_release(call: Call, path: InPath, request: Request) -> Answer<StatusCode> {
    let person = path.read("person", Identifier::parse)?;
    let Touched { nonce, touch } = form::read_json(request, "touch").await?;
    call.at_desk(move |service, desk| service.release_lock(desk, &person, nonce, touch)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn get_grants(call: Call) -> Answer<Json<Vec<GrantView>>> {
    let grants = call.at_desk(Service::grants).await?;
    Ok(Json(grants.into_iter().map(GrantView::from).collect()))
}

async fn post_grant_challenge(call: Call, request: Request) -> Answer<Json<ChallengeView>> {
    let GrantRequest { order, key_nonce } = form::read_json(request, "order").await?;
    let key_nonce = key_nonce.as_deref().map(nonce_of).transpose()?;
    let asked = call.at_desk(move |service, desk| {
        ChallengeView::of(service, service.challenge_grant(desk, &order, key_nonce))
    });
    asked.await.map(Json)
}

async fn post_grant(call: Call, request: Request) -> Answer<(StatusCode, Json<GrantAsked>)> {
    let GrantTouched { order, key_nonce, nonce, touch } = form::read_json(request, "order").await?;
    let key_nonce = key_nonce.as_deref().map(nonce_of).transpose()?;
    let id = call
        .at_desk(move |service, desk| service.ask_grant(desk, order, key_nonce, nonce, touch))
        .await?;
    Ok((StatusCode::CREATED, Json(GrantAsked { id })))
}

async fn delete_grant(call: Call, path: InPath, request: Request) -> Answer<StatusCode> {
    let grant = path.id("grant")?;
    let Because { reason } = form::read_json(request, "reason").await?;
    let reason =
        Text::parse(&reason).map_err(|e| ApiError::malformed(format!("the reason: {e}")))?;
    call.at_desk(move |service, desk| service.decline_grant(desk, grant, reason.as_str())).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn post_approval_challenge(call: Call, path: InPath) -> Answer<Json<ChallengeView>> {
    let grant = path.id("grant")?;
    let asked = call.at_desk(move |service, desk| {
        ChallengeView::of(service, service.challenge_approval(desk, grant))
    });
    asked.await.map(Json)
}

async fn post_approval(call: Call, path: InPath, request: Request) -> Answer<StatusCode> {
    let grant = path.id("grant")?;
    let Touched { nonce, touch } = form::read_json(request, "touch").await?;
    call.at_desk(move |service, desk| service.approve_grant(desk, grant, nonce, touch)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn nonce_of(digits: &str) -> Answer<[u8; 32]> {
    let mut nonce = [0; 32];
    hex::decode_to_slice(digits, &mut nonce)
        .map_err(|_| ApiError::malformed("a nonce is not 64 hexadecimal digits"))?;
    Ok(nonce)
}

impl From<AccountStanding> for AccountView {
    fn from(standing: AccountStanding) -> Self {
        let AccountStanding { account, key, review_due } = standing;
        Self { account, key, review_due }
    }
}

impl From<(GrantId, Grant)> for GrantView {
    fn from((id, grant): (GrantId, Grant)) -> Self {
        Self {
            id,
            person: grant.person,
            key: grant.key,
            asked_by: grant.asked_by.id,
            asked_cs: grant.asked_cs,
        }
    }
}
