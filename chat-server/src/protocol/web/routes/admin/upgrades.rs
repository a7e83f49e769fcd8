//! Upgrade packages of clients.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use common::id::BlobId;
use common::store::upgrade::Upgrade;
use common::upgrade::Claim;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::command::Failure;
use crate::command::admin::{self, NewUpgrade};
use crate::protocol::web::extract::{Admin, Body, InPath, Query};
use crate::protocol::web::list_page::{Cursor, Items, Page};
use crate::protocol::web::problem::Problem;
use crate::protocol::web::router::WebState;
use crate::protocol::web::shape::{Decimal, FromDecimal, Id, Timestamp};

pub(super) fn routes() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .routes(routes!(publish, list))
        .routes(routes!(set_percent))
        .routes(routes!(withdraw))
}

/// The number of an upgrade.
#[derive(Clone, Copy)]
struct UpgradeId(u32);

impl fmt::Display for UpgradeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromDecimal for UpgradeId {
    /// A number that is too large is no upgrade's, like 0.
    fn from_decimal(text: &str) -> Option<Self> {
        let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| Self(text.parse().unwrap_or(0)))
    }
}

/// A package that was uploaded, and what its publisher signed.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewUpgrade)]
struct Wanted {
    #[schema(pattern = "^[a-z0-9-]{1,32}$", examples("windows"))]
    platform: String,
    #[schema(pattern = "^[a-z0-9-]{1,32}$", examples("stable"))]
    channel: String,
    /// Three numbers, above all that were published in this channel.
    #[schema(max_length = 64, examples("1.2.3"))]
    version: String,
    /// The SHA-256 of the package, which lies on the file server.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    file: String,
    /// In bytes.
    #[schema(minimum = 1)]
    size: u64,
    /// What the package is called.
    #[schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$")]
    name: String,
    #[serde(default)]
    #[schema(max_length = 16384)]
    notes: String,
    /// How many of a hundred devices it is for.
    #[serde(default = "everybody")]
    #[schema(minimum = 0, maximum = 100, default = 100)]
    percent: u32,
    /// What existing Windows clients call the package; they are not told of it if not given.
    #[schema(pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$", examples("Flamingo"))]
    old_name: Option<String>,
    /// The publisher's Ed25519 public key, in base64.
    key: String,
    /// The signature of the text that docs/upgrades.md describes, in base64.
    signature: String,
}

fn everybody() -> u32 {
    100
}

/// A package that was published.
#[derive(Serialize, ToSchema)]
#[schema(as = Upgrade)]
struct ShownUpgrade {
    #[schema(value_type = Id)]
    id: Decimal<UpgradeId>,
    platform: String,
    channel: String,
    version: String,
    file: String,
    size: u64,
    name: String,
    notes: String,
    percent: u32,
    /// Null if existing Windows clients are not told of it.
    #[schema(required)]
    old_name: Option<String>,
    key: String,
    signature: String,
    published_at: Timestamp,
    /// Since when nobody is offered it; null for not.
    #[schema(required)]
    withdrawn_at: Option<Timestamp>,
}

impl From<Upgrade> for ShownUpgrade {
    fn from(upgrade: Upgrade) -> Self {
        let publication = upgrade.publication;
        let claim = publication.claim;
        Self {
            id: Decimal(UpgradeId(upgrade.number)),
            platform: claim.platform,
            channel: claim.channel,
            version: claim.version.to_string(),
            file: claim.file.to_string(),
            size: claim.size,
            name: claim.name,
            notes: claim.notes,
            percent: publication.percent,
            old_name: publication.old_name,
            key: publication.key,
            signature: publication.signature,
            published_at: Timestamp(publication.at),
            withdrawn_at: upgrade.withdrawn.map(Timestamp),
        }
    }
}

/// Publishes an upgrade package
///
/// The package was uploaded to the file server before; the server checks the signature and keeps
/// it, and cannot make one.
#[utoipa::path(
    post, path = "/admin/upgrades", tag = "administration", operation_id = "admin_publish_upgrade",
    request_body = Wanted,
    responses(
        (status = 201, body = ShownUpgrade, description = "Clients are offered it"),
        (status = 403, description = "`not_an_admin`"),
        (status = 409, description = "`version_too_low`, `version_too_low_for_old_clients`, `limit_reached`"),
        (status = 422, description = "`invalid_value`, also for a signature that is wrong; `no_such_file`"),
    )
)]
async fn publish(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<ShownUpgrade>), Problem> {
    let invalid = |field, problem| Problem::from(Failure::Invalid { field, problem });
    let version = wanted.version.parse();
    let version = version.map_err(|_| invalid("`version`", "is no version like 1.2.3"))?;
    let file = BlobId::from_hex(&wanted.file);
    let file = file.ok_or_else(|| invalid("`file`", "is no SHA-256 of 64 digits"))?;
    let new = NewUpgrade {
        claim: Claim {
            platform: wanted.platform,
            channel: wanted.channel,
            version,
            file,
            size: wanted.size,
            name: wanted.name,
            notes: wanted.notes,
        },
        percent: wanted.percent,
        old_name: wanted.old_name,
        key: wanted.key,
        signature: wanted.signature,
    };
    let made = admin::publish_upgrade(&app, &who, new).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Which packages are wanted.
#[derive(Deserialize)]
struct Only {
    platform: Option<String>,
    channel: Option<String>,
}

/// Lists upgrade packages, also those that were withdrawn
#[utoipa::path(
    get, path = "/admin/upgrades", tag = "administration", operation_id = "admin_list_upgrades",
    params(
        (
            "platform" = Option<String>, Query, nullable = false,
            description = "Only those of this platform"
        ),
        (
            "channel" = Option<String>, Query, nullable = false,
            description = "Only those of this channel"
        ),
        Page,
    ),
    responses(
        (status = 200, body = Items<ShownUpgrade>, description = "The newest first"),
        (status = 403, description = "`not_an_admin`"),
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    Query(only): Query<Only>,
    Query(page): Query<Page>,
) -> Result<Json<Items<ShownUpgrade>>, Problem> {
    let before = page.cursor.map(|Cursor(number)| number);
    let only = (only.platform.as_deref(), only.channel.as_deref());
    let found = admin::upgrades(&app, &who, only, before, page.limit.0).await?;
    let shown = found.into_iter().map(ShownUpgrade::from).collect();
    let number = |upgrade: &ShownUpgrade| u64::from(upgrade.id.0.0);
    Ok(Json(Items::piece(shown, page.limit, number)))
}

/// How many devices a package is for.
#[derive(Deserialize, ToSchema)]
#[schema(as = UpgradePercent)]
struct Percent {
    /// How many of a hundred devices it is for.
    #[schema(minimum = 0, maximum = 100)]
    percent: u32,
}

/// Gives an upgrade package to more devices, or to fewer
#[utoipa::path(
    patch, path = "/admin/upgrades/{id}", tag = "administration",
    operation_id = "admin_set_upgrade_percent",
    params(("id" = Id, Path, description = "The upgrade's number")),
    request_body = Percent,
    responses(
        (status = 200, body = ShownUpgrade, description = "The same devices, and others, are offered it"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_upgrade`"),
        (status = 422, description = "`invalid_value`"),
    )
)]
async fn set_percent(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(Decimal(UpgradeId(number))): InPath<Decimal<UpgradeId>>,
    Body(wanted): Body<Percent>,
) -> Result<Json<ShownUpgrade>, Problem> {
    let changed = admin::set_upgrade_percent(&app, &who, number, wanted.percent).await?;
    Ok(Json(changed.into()))
}

/// Withdraws an upgrade package
///
/// The one before is the newest again; clients that have this one are offered that as a roll-back.
#[utoipa::path(
    post, path = "/admin/upgrades/{id}/withdraw", tag = "administration",
    operation_id = "admin_withdraw_upgrade",
    params(("id" = Id, Path, description = "The upgrade's number")),
    responses(
        (status = 200, body = ShownUpgrade, description = "Nobody is offered it any more"),
        (status = 403, description = "`not_an_admin`"),
        (status = 404, description = "`no_such_upgrade`"),
    )
)]
async fn withdraw(
    State(app): State<Arc<App>>,
    Admin(who): Admin,
    InPath(Decimal(UpgradeId(number))): InPath<Decimal<UpgradeId>>,
) -> Result<Json<ShownUpgrade>, Problem> {
    let changed = admin::withdraw_upgrade(&app, &who, number).await?;
    Ok(Json(changed.into()))
}
