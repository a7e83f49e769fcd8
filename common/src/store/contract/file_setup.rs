//! Short ways to say what a test about stored files needs.

use bytes::Bytes;

use super::setup::{NOW, append, done, origin};
use crate::api::{BlobClass, Body, Dialect};
use crate::id::{BlobId, ConvId, Millis, UserId};
use crate::store::file::{self, FileChange, Reference, Uploaded};
use crate::store::{Append, Change, Guard, Store};

pub(super) const CAT: BlobId = BlobId([1; 32]);
pub(super) const DOG: BlobId = BlobId([2; 32]);
pub(super) const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
pub(super) const HOUR: i64 = 3_600_000;
/// When what nothing refers to goes.
pub(super) const LATER: Millis = Millis(NOW.0 + HOUR);
pub(super) const AFTER: Millis = Millis(LATER.0 + 1);

pub(super) fn upload(owner: UserId, blob: BlobId) -> Uploaded {
    Uploaded {
        class: BlobClass::File,
        blob,
        size: 100,
        mime: "text/plain".to_owned(),
        name: Some("notes.txt".to_owned()),
        picture: None,
        owner: Some(owner),
        md5: None,
        at: NOW,
        expires: Some(LATER),
        user_bytes_max: None,
        total_bytes_max: None,
    }
}

pub(super) fn uploaded(new: Uploaded) -> Change {
    Change::File(FileChange::Uploaded(new))
}

pub(super) async fn put(store: &dyn Store, owner: UserId, blob: BlobId) {
    done(store, uploaded(upload(owner, blob))).await;
}

pub(super) fn named(md5: &str, blob: BlobId) -> Change {
    Change::NameBlob {
        class: BlobClass::File,
        name: md5.to_owned(),
        blob,
        size: 100,
        verified: true,
        at: NOW,
    }
}

pub(super) fn sends(from: UserId, conv: ConvId, client_id: &str, files: &[BlobId]) -> Change {
    in_dialect(Dialect::Segments, from, conv, client_id, files)
}

pub(super) fn in_dialect(
    dialect: Dialect,
    from: UserId,
    conv: ConvId,
    client_id: &str,
    files: &[BlobId],
) -> Change {
    Change::Append(Append {
        body: Body::Message {
            dialect,
            content: Bytes::from_static(br#"{"segments":[]}"#),
        },
        files: files.to_vec(),
        ..append(origin(from, client_id), conv, "", Guard::Exists)
    })
}

pub(super) fn forget(blob: BlobId, now: Millis) -> Change {
    Change::File(FileChange::Forget { blob, now })
}

pub(super) fn erased(blob: BlobId) -> Change {
    Change::File(FileChange::Erased { blob })
}

pub(super) fn unrefer(by: Reference, at: Millis) -> Change {
    Change::File(FileChange::Unrefer { by, at })
}

pub(super) fn refer(blob: BlobId, by: Reference) -> Change {
    Change::File(FileChange::Refer { blob, by, at: NOW })
}

pub(super) async fn expired(store: &dyn Store, now: Millis) -> Vec<BlobId> {
    file::expired(store, now, 100).await.unwrap()
}

pub(super) async fn is_here(store: &dyn Store, blob: BlobId) -> bool {
    file::about(store, blob).await.unwrap().is_some()
}

pub(super) async fn may_read(store: &dyn Store, user: UserId, blob: BlobId) -> bool {
    file::may_read(store, user, blob).await.unwrap()
}
