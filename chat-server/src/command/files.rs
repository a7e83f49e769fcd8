//! Files that a user wants to send or to show: they are here, he may use them, and old clients can
//! find them.

use std::collections::HashMap;
use std::time::Duration;

use common::api::BlobClass;
use common::id::{BlobId, UserId};
use common::store::file::{self, About, FileChange};
use common::store::{Change, StoreError, blob};
use common::wire::translate;
use tokio::time::{Instant, sleep};

use super::{Failure, done};
use crate::app::App;

/// How long a message waits until old clients can find its files. A gigabyte is hashed faster.
const NAMED_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether they can.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A file that was uploaded longer ago has no name for a reason that waiting does not heal. In
/// milliseconds.
const RECENT_MS: i64 = 600_000;

/// What is known of these files, all of which this user may send to others.
///
/// # Errors
/// `NoSuchFile` if one is not here, or he may not; the store's.
pub(super) async fn usable(
    app: &App,
    user: UserId,
    files: &[BlobId],
) -> Result<HashMap<BlobId, About>, Failure> {
    if files.is_empty() {
        return Ok(HashMap::new());
    }
    let found = file::usable(&*app.store, user, files).await?;
    let found: HashMap<BlobId, About> =
        found.into_iter().map(|about| (about.blob, about)).collect();
    if files.iter().any(|file| !found.contains_key(file)) {
        return Err(Failure::NoSuchFile);
    }
    Ok(found)
}

/// Lets those who get these files have the bytes as they came: what was a picture only becomes a
/// file, too, because somebody who has its bytes sends it as one.
///
/// # Errors
/// `NoSuchFile` if the user himself has only the picture; the store's.
pub(super) async fn send_as_files(
    app: &App,
    user: UserId,
    files: &[BlobId],
) -> Result<(), Failure> {
    if files.is_empty() {
        return Ok(());
    }
    if !file::kept_as_pictures(&*app.store, user, files)
        .await?
        .is_empty()
    {
        return Err(Failure::NoSuchFile);
    }
    let wanted: Vec<_> = files.iter().map(|blob| (BlobClass::File, *blob)).collect();
    name(app, &wanted).await?;
    Ok(())
}

/// Files by whose MD5 old clients cannot ask yet, as far as is known. A large file that came over
/// HTTP gets its name after the upload was answered.
#[derive(Debug)]
pub(super) struct Nameless {
    files: Vec<(BlobClass, BlobId)>,
    until: Instant,
}

impl Nameless {
    /// None.
    pub(super) fn none() -> Self {
        Self {
            files: Vec::new(),
            until: Instant::now(),
        }
    }

    /// Looks for the names of these files.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn of(
        app: &App,
        wanted: impl IntoIterator<Item = (BlobClass, BlobId)>,
        about: &HashMap<BlobId, About>,
    ) -> Result<Self, Failure> {
        let now = app.clock.now();
        let is_recent =
            |about: &About| about.mime.is_some() && about.at.0.saturating_add(RECENT_MS) > now.0;
        let mut files: Vec<(BlobClass, BlobId)> = wanted
            .into_iter()
            .filter(|(_, blob)| about.get(blob).is_some_and(is_recent))
            .collect();
        files.sort_unstable();
        files.dedup();
        let until = Instant::now() + NAMED_WITHIN;
        if !files.is_empty() {
            files = name(app, &files).await?;
        }
        Ok(Self { files, until })
    }

    pub(super) fn is_none(&self) -> bool {
        self.files.is_empty()
    }

    /// Waits, but not for long, until they have names.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn wait(&mut self, app: &App) -> Result<(), Failure> {
        while !self.files.is_empty() && Instant::now() < self.until {
            sleep(LOOK_EVERY).await;
            self.files = name(app, &self.files).await?;
        }
        Ok(())
    }
}

/// Answers which of these files have no name yet. What is known by its MD5 as a picture gets the
/// same name as a file, and the other way round.
async fn name(
    app: &App,
    wanted: &[(BlobClass, BlobId)],
) -> Result<Vec<(BlobClass, BlobId)>, Failure> {
    let mut unknown = Vec::new();
    for nameless in file::nameless(&*app.store, wanted).await? {
        match nameless.md5 {
            Some(md5) => {
                let named = FileChange::Named {
                    class: nameless.class,
                    blob: nameless.blob,
                    md5,
                    at: app.clock.now(),
                };
                done(&app.log.commit(Change::File(named)).await?)?;
            }
            None => unknown.push((nameless.class, nameless.blob)),
        }
    }
    Ok(unknown)
}

/// The files that a message of an old client names, as far as they are known here.
pub(super) async fn named_in(app: &App, content: &[u8]) -> Result<Vec<BlobId>, StoreError> {
    let mut files = Vec::new();
    for wanted in translate::names(content) {
        if let Some(named) = app.store.blob_named(wanted.class, &wanted.name).await? {
            files.push(named.blob);
        }
    }
    Ok(files)
}

/// The name of the picture that a user chose for somebody, as it is stored: the one under which old
/// clients find it. He says it by its SHA-256 or by this name; empty is none.
///
/// # Errors
/// `NoSuchFile` if it is not here, is no picture, or he may not use it; the store's.
pub(super) async fn chosen_avatar(
    app: &App,
    user: UserId,
    chosen: &str,
) -> Result<String, Failure> {
    if chosen.is_empty() {
        return Ok(String::new());
    }
    let image = BlobClass::Image;
    let Some(blob) = BlobId::from_hex(chosen) else {
        let named = app.store.blob_named(image, chosen).await?;
        let named = named.ok_or(Failure::NoSuchFile)?;
        usable(app, user, &[named.blob]).await?;
        return Ok(chosen.to_owned());
    };
    let found = usable(app, user, &[blob]).await?;
    let is_picture = |about: &About| {
        let mime = about.mime.as_deref().unwrap_or("image/");
        about.picture.is_some() || mime.starts_with("image/")
    };
    if !found.values().all(is_picture) {
        return Err(Failure::NoSuchFile);
    }
    let mut nameless = Nameless::of(app, [(image, blob)], &found).await?;
    nameless.wait(app).await?;
    let names = blob::stored(&*app.store, &[blob]).await?.pop();
    let names = names.map_or_else(Vec::new, |stored| stored.names);
    let name = names.into_iter().find(|(class, _)| *class == image);
    name.map(|(_, name)| name).ok_or(Failure::Invalid {
        field: "the avatar",
        problem: "cannot be found by old clients yet; try again in a moment",
    })
}
