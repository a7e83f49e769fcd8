//! Shows what is known of a stored file, and lets one fetch it for a while.

use common::api::BlobClass;
use common::auth::file_url;
use common::id::{BlobId, Millis};
use common::store::file::{self, About};
use common::store::{StoreError, blob};

use super::Failure;
use crate::actor::Actor;
use crate::app::App;

/// Addresses that are asked for within a twelfth of the time that they are good for are the same
/// one, so that browsers need not fetch a picture again.
const SAME_PART: i64 = 12;
/// The length of an MD5 in hexadecimal.
const MD5_BYTES: usize = 32;

/// A file that somebody may fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFile {
    pub about: About,
    pub class: BlobClass,
    /// What proves to the file or the image server that one may fetch it: the query of an address.
    pub proof: String,
    /// The address is good until then.
    pub expires: Millis,
}

/// What is known of the file that `name` stands for: a SHA-256, or what a profile shows as its
/// picture. Without a class it is a picture if it is known as one.
///
/// # Errors
/// `NoSuchFile` for what is not here and for what the actor may not read; `FileGone` for what was
/// deleted because of its age; the store's.
pub async fn see_file(
    app: &App,
    actor: &Actor,
    name: &str,
    class: Option<BlobClass>,
) -> Result<SeenFile, Failure> {
    let store = &*app.store;
    let blob = found(app, name).await?.ok_or(Failure::NoSuchFile)?;
    if !file::may_read(store, actor.user, blob).await? {
        return Err(Failure::NoSuchFile);
    }
    let Some(about) = file::about(store, blob).await? else {
        let is_gone = file::is_gone(store, blob).await?;
        return Err(if is_gone {
            Failure::FileGone
        } else {
            Failure::NoSuchFile
        });
    };
    let class = match class {
        Some(class) => class,
        None => usual_class(app, &about).await?,
    };
    // The file server would hand it out as it came.
    if class == BlobClass::File
        && !file::kept_as_pictures(store, actor.user, &[blob])
            .await?
            .is_empty()
    {
        return Err(Failure::NoSuchFile);
    }
    let expires = expiry(app.clock.now(), app.config.files.file_url_valid_s);
    let keys = app.sessions.keys(store, &app.log).await?;
    let proof = file_url::sign(&keys, class, blob, expires.seconds());
    let proof = proof.ok_or_else(|| StoreError::Broken("there is no token key".to_owned()))?;
    Ok(SeenFile {
        about,
        class,
        proof,
        expires,
    })
}

async fn found(app: &App, name: &str) -> Result<Option<BlobId>, StoreError> {
    let is_hex = name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && name.len() == MD5_BYTES {
        let named = app.store.blob_named(BlobClass::Image, name).await?;
        return Ok(named.map(|named| named.blob));
    }
    Ok(BlobId::from_hex(name))
}

async fn usual_class(app: &App, about: &About) -> Result<BlobClass, StoreError> {
    if about.picture.is_some() {
        return Ok(BlobClass::Image);
    }
    // What old clients uploaded has names and nothing else.
    let names = match about.mime {
        Some(_) => None,
        None => blob::stored(&*app.store, &[about.blob]).await?.pop(),
    };
    let class = names.and_then(|stored| stored.names.first().map(|(class, _)| *class));
    Ok(class.unwrap_or(BlobClass::File))
}

/// In whole seconds.
fn expiry(now: Millis, valid_s: u64) -> Millis {
    let valid = i64::try_from(valid_s).unwrap_or(i64::MAX / 4000);
    let step = (valid / SAME_PART).max(1);
    let seconds = now.seconds().saturating_add(valid);
    let until = seconds.saturating_add(step - 1).div_euclid(step) * step;
    Millis(until.saturating_mul(1000).min(Millis::NEVER.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_few_minutes_are_the_same() {
        let at = |s: i64| expiry(Millis(s * 1000), 3600).0 / 1000;
        assert_eq!(at(1_700_000_100), 1_700_003_700);
        assert_eq!(at(1_700_000_101), 1_700_004_000);
        assert_eq!(at(1_700_000_400), 1_700_004_000);
        assert_eq!(at(1_700_000_401), 1_700_004_300);
        assert_eq!(expiry(Millis(5_000), 1), Millis(6_000));
        assert!(expiry(Millis(5_000), u64::MAX).0 > 5_000);
    }
}
