//! Stored files: who uploaded them, what refers to them, who may read them, when they go.

use bytes::Bytes;

use super::setup::{
    NOW, ann_and_bob, append, befriend, commit, done, group, join, leave, origin, refused, say,
    user,
};
use crate::api::{BlobClass, Body, Dialect, Refusal};
use crate::id::{BlobId, ConvId, Millis, Seq, UserId};
use crate::store::file::{self, FileChange, GRACE_MS, Picture, Reference, Uploaded};
use crate::store::{Append, Change, Guard, Outcome, Store};

const CAT: BlobId = BlobId([1; 32]);
const DOG: BlobId = BlobId([2; 32]);
const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
const HOUR: i64 = 3_600_000;
/// When what nothing refers to goes.
const LATER: Millis = Millis(NOW.0 + HOUR);
const AFTER: Millis = Millis(LATER.0 + 1);

fn upload(owner: UserId, blob: BlobId) -> Uploaded {
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

fn uploaded(new: Uploaded) -> Change {
    Change::File(FileChange::Uploaded(new))
}

async fn put(store: &dyn Store, owner: UserId, blob: BlobId) {
    done(store, uploaded(upload(owner, blob))).await;
}

fn named(md5: &str, blob: BlobId) -> Change {
    Change::NameBlob {
        class: BlobClass::File,
        name: md5.to_owned(),
        blob,
        size: 100,
        verified: true,
        at: NOW,
    }
}

fn sends(from: UserId, conv: ConvId, client_id: &str, files: &[BlobId]) -> Change {
    in_dialect(Dialect::Segments, from, conv, client_id, files)
}

fn in_dialect(
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

fn forget(blob: BlobId, now: Millis) -> Change {
    Change::File(FileChange::Forget { blob, now })
}

fn erased(blob: BlobId) -> Change {
    Change::File(FileChange::Erased { blob })
}

fn unrefer(by: Reference, at: Millis) -> Change {
    Change::File(FileChange::Unrefer { by, at })
}

fn refer(blob: BlobId, by: Reference) -> Change {
    Change::File(FileChange::Refer { blob, by, at: NOW })
}

async fn expired(store: &dyn Store, now: Millis) -> Vec<BlobId> {
    file::expired(store, now, 100).await.unwrap()
}

async fn is_here(store: &dyn Store, blob: BlobId) -> bool {
    file::about(store, blob).await.unwrap().is_some()
}

async fn may_read(store: &dyn Store, user: UserId, blob: BlobId) -> bool {
    file::may_read(store, user, blob).await.unwrap()
}

pub async fn an_upload_is_remembered(store: &dyn Store) {
    let ann = user(store, "ann").await;
    assert_eq!(file::about(store, CAT).await.unwrap(), None);
    let picture = Picture {
        width: 640,
        height: 480,
        thumbhash: Some("3OcRJYB4d3h/iIeHeEh3eIhw+j2w".to_owned()),
    };
    let new = Uploaded {
        class: BlobClass::Image,
        size: 5_000_000_000,
        mime: "image/png".to_owned(),
        picture: Some(picture.clone()),
        name: Some("貓'😀".repeat(200)),
        md5: Some(MD5.to_owned()),
        ..upload(ann, CAT)
    };
    done(store, uploaded(new)).await;
    let about = file::about(store, CAT).await.unwrap().unwrap();
    assert_eq!(
        (about.blob, about.size, about.at),
        (CAT, 5_000_000_000, NOW)
    );
    assert_eq!(about.mime.as_deref(), Some("image/png"));
    assert_eq!(about.picture, Some(picture.clone()));
    let known = store.blob_named(BlobClass::Image, MD5).await.unwrap();
    let known = known.unwrap();
    assert!(known.blob == CAT && known.verified && known.size == 5_000_000_000);
    let by = async |class| file::uploaded_by(store, ann, class, CAT).await.unwrap();
    assert!(by(BlobClass::Image).await && !by(BlobClass::File).await);
    // Who uploads the picture as a file takes nothing away.
    done(store, uploaded(upload(ann, CAT))).await;
    let again = file::about(store, CAT).await.unwrap().unwrap();
    assert_eq!((again.size, again.picture), (5_000_000_000, Some(picture)));
}

pub async fn the_same_content_counts_once(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let used = async |user| file::used(store, user).await.unwrap();
    assert_eq!(
        (used(ann).await, file::used_in_all(store).await.unwrap()),
        (0, 0)
    );
    for class in [BlobClass::File, BlobClass::Image, BlobClass::File] {
        let new = Uploaded {
            class,
            ..upload(ann, CAT)
        };
        assert_eq!(commit(store, uploaded(new)).await, Outcome::done());
    }
    assert_eq!((used(ann).await, used(bob).await), (100, 0));
    put(store, bob, CAT).await;
    put(store, bob, DOG).await;
    assert_eq!((used(ann).await, used(bob).await), (100, 200));
    assert_eq!(file::used_in_all(store).await.unwrap(), 200);
    let nobody = Uploaded {
        owner: None,
        ..upload(ann, BlobId([3; 32]))
    };
    done(store, uploaded(nobody)).await;
    assert_eq!(file::used_in_all(store).await.unwrap(), 300);
}

pub async fn quotas_are_kept(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let within = |owner, blob, user, total| {
        uploaded(Uploaded {
            user_bytes_max: user,
            total_bytes_max: total,
            ..upload(owner, blob)
        })
    };
    refused(store, within(ann, CAT, Some(99), None), Refusal::QuotaUser).await;
    assert!(!is_here(store, CAT).await);
    done(store, within(ann, CAT, Some(100), None)).await;
    // The same again is nothing more.
    done(store, within(ann, CAT, Some(100), Some(100))).await;
    refused(store, within(ann, DOG, Some(199), None), Refusal::QuotaUser).await;
    refused(
        store,
        within(ann, DOG, None, Some(199)),
        Refusal::QuotaTotal,
    )
    .await;
    // What is stored already takes no more space, but it counts for its new owner.
    done(store, within(bob, CAT, Some(100), Some(100))).await;
    refused(
        store,
        within(bob, DOG, Some(150), Some(1000)),
        Refusal::QuotaUser,
    )
    .await;
    done(store, within(bob, DOG, Some(200), Some(200))).await;
}

pub async fn an_md5_name_comes_later(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let name = |blob, md5: &str| {
        Change::File(FileChange::Named {
            class: BlobClass::File,
            blob,
            md5: md5.to_owned(),
            at: NOW,
        })
    };
    let unnamed = async |class, after| file::unnamed(store, class, after, 10).await.unwrap();
    refused(store, name(CAT, MD5), Refusal::NoSuchFile).await;
    put(store, ann, CAT).await;
    put(store, ann, DOG).await;
    assert_eq!(unnamed(BlobClass::File, None).await, [CAT, DOG]);
    assert_eq!(unnamed(BlobClass::File, Some(CAT)).await, [DOG]);
    assert_eq!(unnamed(BlobClass::Image, None).await, []);
    done(store, name(CAT, MD5)).await;
    assert_eq!(unnamed(BlobClass::File, None).await, [DOG]);
    // Other content with the same MD5 does not take the name away.
    done(store, name(DOG, MD5)).await;
    let known = store.blob_named(BlobClass::File, MD5).await.unwrap();
    assert_eq!(known.unwrap().blob, CAT);
    // The name says nothing about when the file goes.
    assert_eq!(expired(store, AFTER).await.len(), 2);
}

pub async fn a_referenced_file_stays(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    put(store, ann, CAT).await;
    assert_eq!(expired(store, NOW).await, []);
    assert_eq!(expired(store, LATER).await, [CAT]);
    refused(store, forget(CAT, NOW), Refusal::FileNeeded).await;
    done(store, sends(ann, conv, "one", &[CAT, CAT])).await;
    assert_eq!(expired(store, AFTER).await, []);
    refused(store, forget(CAT, AFTER), Refusal::FileNeeded).await;
    // Somebody else uploads it too: it stays.
    put(store, bob, CAT).await;
    assert_eq!(expired(store, AFTER).await, []);
    // Content that nothing expires stays too.
    let forever = Uploaded {
        expires: None,
        ..upload(ann, DOG)
    };
    done(store, uploaded(forever)).await;
    assert_eq!(expired(store, AFTER).await, []);
}

pub async fn the_last_reference_starts_the_clock(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    put(store, ann, CAT).await;
    done(store, sends(ann, conv, "one", &[CAT])).await;
    done(store, sends(ann, conv, "two", &[CAT])).await;
    done(store, refer(CAT, Reference::UserAvatar(ann))).await;
    let at = Millis(NOW.0 + 1000);
    let gone = Millis(at.0 + GRACE_MS);
    done(store, unrefer(Reference::Message(conv, Seq(1)), at)).await;
    done(store, unrefer(Reference::Message(conv, Seq(2)), at)).await;
    assert_eq!(expired(store, Millis::NEVER).await, []);
    // Another avatar replaces this one.
    put(store, ann, DOG).await;
    done(store, refer(DOG, Reference::UserAvatar(ann))).await;
    assert_eq!(expired(store, Millis(NOW.0 + GRACE_MS)).await, [CAT]);
    done(store, refer(CAT, Reference::UserAvatar(ann))).await;
    done(store, unrefer(Reference::UserAvatar(ann), at)).await;
    assert_eq!(expired(store, Millis(gone.0 - 1)).await, [DOG]);
    assert_eq!(expired(store, gone).await, [DOG, CAT]);
    // What refers to nothing refers to nothing.
    done(store, unrefer(Reference::UserAvatar(ann), at)).await;
    refused(
        store,
        refer(BlobId([9; 32]), Reference::UserAvatar(ann)),
        Refusal::NoSuchFile,
    )
    .await;
}

pub async fn a_message_needs_its_files(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    put(store, ann, CAT).await;
    refused(
        store,
        sends(ann, conv, "one", &[CAT, DOG]),
        Refusal::NoSuchFile,
    )
    .await;
    assert_eq!(expired(store, AFTER).await, [CAT], "nothing was written");
    // Old clients name what they like.
    done(
        store,
        in_dialect(Dialect::Flamingo, ann, conv, "two", &[CAT, DOG]),
    )
    .await;
    assert_eq!(expired(store, AFTER).await, []);
    put(store, ann, DOG).await;
    let batch = [
        sends(ann, conv, "three", &[DOG]),
        sends(ann, conv, "four", &[BlobId([9; 32])]),
        say(ann, conv, "five"),
        sends(ann, conv, "three", &[DOG]),
    ];
    befriend(store, ann, bob).await;
    let outcomes = store.commit(&batch).await.unwrap();
    assert!(matches!(outcomes[0], Outcome::Done { .. }), "{outcomes:?}");
    assert_eq!(outcomes[1], Outcome::Refused(Refusal::NoSuchFile));
    assert!(matches!(outcomes[2], Outcome::Done { .. }), "{outcomes:?}");
    assert!(
        matches!(outcomes[3], Outcome::AlreadyThere { .. }),
        "{outcomes:?}"
    );
    assert_eq!(expired(store, AFTER).await, []);
    // The reference is the first one's, and there is one of it.
    done(store, unrefer(Reference::Message(conv, Seq(2)), NOW)).await;
    assert_eq!(expired(store, Millis::NEVER).await, [DOG]);
    // What is being deleted cannot be sent any more.
    done(store, forget(DOG, Millis::NEVER)).await;
    refused(store, sends(ann, conv, "six", &[DOG]), Refusal::NoSuchFile).await;
}

pub async fn who_may_read_a_file(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let eve = user(store, "eve").await;
    let cars = group(store, ann, "cars").await;
    let conv = ConvId::group(cars);
    let readers = async |blob| {
        let mut readers = Vec::new();
        for user in [ann, bob, eve] {
            if may_read(store, user, blob).await {
                readers.push(user);
            }
        }
        readers
    };
    put(store, ann, CAT).await;
    assert_eq!(readers(CAT).await, [ann]);
    assert_eq!(readers(DOG).await, []);
    done(store, join(bob, cars, "b")).await;
    done(store, sends(ann, conv, "one", &[CAT])).await;
    assert_eq!(readers(CAT).await, [ann, bob]);
    // Who comes later does not see it, nor who has left.
    done(store, join(eve, cars, "e")).await;
    assert_eq!(readers(CAT).await, [ann, bob]);
    done(store, leave(bob, cars, "bye")).await;
    assert_eq!(readers(CAT).await, [ann]);
    done(store, sends(eve, ConvId::direct(eve, bob), "two", &[CAT])).await;
    assert_eq!(readers(CAT).await, [ann, bob, eve]);
    put(store, bob, DOG).await;
    assert_eq!(readers(DOG).await, [bob]);
    done(store, refer(DOG, Reference::GroupAvatar(cars))).await;
    assert_eq!(readers(DOG).await, [ann, bob, eve]);
}

pub async fn packages_are_for_everybody(store: &dyn Store) {
    let ann = user(store, "ann").await;
    put(store, ann, CAT).await;
    let is_public = async || file::is_public(store, CAT).await.unwrap();
    done(store, refer(CAT, Reference::UserAvatar(ann))).await;
    assert!(!is_public().await);
    done(store, refer(CAT, Reference::Package(7))).await;
    assert!(is_public().await);
    done(store, unrefer(Reference::Package(7), NOW)).await;
    assert!(!is_public().await);
}

pub async fn what_old_clients_upload_stays(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    let is_legacy = async |blob| file::is_legacy(store, blob).await.unwrap();
    done(store, named(MD5, CAT)).await;
    assert!(is_legacy(CAT).await && !may_read(store, ann, CAT).await);
    done(store, sends(ann, conv, "one", &[CAT])).await;
    done(store, unrefer(Reference::Message(conv, Seq(1)), NOW)).await;
    assert_eq!(expired(store, Millis::NEVER).await, []);
    // Also if it came over HTTP as well, before or after.
    put(store, ann, CAT).await;
    put(store, ann, DOG).await;
    assert!(!is_legacy(DOG).await);
    assert_eq!(expired(store, AFTER).await, [DOG]);
    done(store, named("0000", DOG)).await;
    assert!(is_legacy(DOG).await);
    assert_eq!(expired(store, Millis::NEVER).await, []);
    // Messages from before may refer to it, and so whoever is signed in may read it.
    done(store, Change::File(FileChange::FromBefore { blob: CAT })).await;
    assert!(may_read(store, bob, CAT).await && !may_read(store, bob, DOG).await);
}

pub async fn a_forgotten_file_is_forgotten_in_steps(store: &dyn Store) {
    let ann = user(store, "ann").await;
    refused(store, forget(CAT, AFTER), Refusal::NoSuchFile).await;
    let new = Uploaded {
        md5: Some(MD5.to_owned()),
        ..upload(ann, CAT)
    };
    done(store, uploaded(new.clone())).await;
    refused(store, erased(CAT), Refusal::FileNeeded).await;
    done(store, forget(CAT, AFTER)).await;
    assert!(!is_here(store, CAT).await && !may_read(store, ann, CAT).await);
    assert_eq!(store.blob_named(BlobClass::File, MD5).await.unwrap(), None);
    assert_eq!(file::used(store, ann).await.unwrap(), 0);
    assert_eq!(file::used_in_all(store).await.unwrap(), 0);
    // A collector that stopped here begins again.
    assert_eq!(expired(store, AFTER).await, [CAT]);
    done(store, forget(CAT, AFTER)).await;
    done(store, erased(CAT)).await;
    assert_eq!(expired(store, AFTER).await, []);
    done(store, erased(CAT)).await;
    // What comes again meanwhile is here again.
    done(store, uploaded(new.clone())).await;
    done(store, forget(CAT, AFTER)).await;
    let again = Uploaded {
        expires: Some(Millis::NEVER),
        ..new
    };
    done(store, uploaded(again)).await;
    assert!(is_here(store, CAT).await && may_read(store, ann, CAT).await);
    assert_eq!(expired(store, AFTER).await, []);
    refused(store, forget(CAT, AFTER), Refusal::FileNeeded).await;
    refused(store, erased(CAT), Refusal::FileNeeded).await;
}

pub async fn a_retired_file_leaves_its_messages(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    let retire = |blob, before| {
        Change::File(FileChange::Retire {
            blob,
            before,
            now: AFTER,
        })
    };
    let is_gone = async || file::is_gone(store, CAT).await.unwrap();
    refused(store, retire(CAT, AFTER), Refusal::NoSuchFile).await;
    put(store, ann, CAT).await;
    done(store, sends(ann, conv, "one", &[CAT])).await;
    refused(store, retire(CAT, NOW), Refusal::FileNeeded).await;
    done(store, refer(CAT, Reference::UserAvatar(ann))).await;
    refused(store, retire(CAT, AFTER), Refusal::FileNeeded).await;
    done(store, unrefer(Reference::UserAvatar(ann), NOW)).await;
    assert!(!is_gone().await);
    done(store, retire(CAT, AFTER)).await;
    done(store, retire(CAT, AFTER)).await;
    assert!(is_gone().await && !is_here(store, CAT).await);
    assert!(
        may_read(store, bob, CAT).await,
        "he may know that it was there"
    );
    assert_eq!(
        expired(store, AFTER).await,
        [CAT],
        "the content is still to be deleted"
    );
    done(store, erased(CAT)).await;
    assert_eq!(expired(store, Millis::NEVER).await, []);
    assert!(is_gone().await);
    // With the message goes the last trace.
    done(store, unrefer(Reference::Message(conv, Seq(1)), AFTER)).await;
    done(store, forget(CAT, AFTER)).await;
    done(store, erased(CAT)).await;
    assert!(!is_gone().await);
    // An upload brings it back, with its messages.
    put(store, ann, DOG).await;
    done(store, sends(ann, conv, "two", &[DOG])).await;
    done(store, retire(DOG, AFTER)).await;
    done(store, erased(DOG)).await;
    put(store, bob, DOG).await;
    assert!(is_here(store, DOG).await);
    assert_eq!(expired(store, Millis::NEVER).await, []);
    done(store, named(MD5, DOG)).await;
    done(store, retire(DOG, AFTER)).await;
    done(store, named(MD5, DOG)).await;
    assert!(is_here(store, DOG).await, "an old client brought it back");
}

pub async fn files_age_by_class(store: &dyn Store) {
    let ann = user(store, "ann").await;
    let old = Millis(NOW.0 - HOUR);
    let both = BlobId([3; 32]);
    for (blob, class) in [
        (CAT, BlobClass::Image),
        (DOG, BlobClass::File),
        (both, BlobClass::Image),
    ] {
        let new = Uploaded {
            class,
            at: old,
            ..upload(ann, blob)
        };
        done(store, uploaded(new)).await;
    }
    done(store, named(MD5, both)).await;
    let aged = async |files: Option<Millis>, images: Option<Millis>| {
        let mut aged = file::aged(store, files, images, 10).await.unwrap();
        aged.sort_unstable();
        aged
    };
    assert_eq!(aged(None, None).await, []);
    assert_eq!(aged(Some(NOW), None).await, [DOG]);
    assert_eq!(aged(None, Some(NOW)).await, [CAT]);
    assert_eq!(aged(Some(NOW), Some(NOW)).await, [CAT, DOG, both]);
    assert_eq!(aged(Some(old), Some(NOW)).await, [CAT]);
    assert_eq!(aged(Some(old), Some(old)).await, []);
    // Pictures of people do not age.
    done(store, refer(CAT, Reference::UserAvatar(ann))).await;
    // An upload makes it young.
    put(store, ann, DOG).await;
    assert_eq!(aged(Some(NOW), Some(NOW)).await, [both]);
}

pub async fn a_postponed_file_stays_longer(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let postpone = |expires| Change::File(FileChange::Postpone { blob: CAT, expires });
    refused(store, postpone(AFTER), Refusal::NoSuchFile).await;
    put(store, ann, CAT).await;
    done(store, postpone(NOW)).await;
    assert_eq!(expired(store, LATER).await, [CAT]);
    done(store, postpone(AFTER)).await;
    assert_eq!(expired(store, LATER).await, []);
    assert_eq!(expired(store, AFTER).await, [CAT]);
    done(store, sends(ann, ConvId::direct(ann, bob), "one", &[CAT])).await;
    done(store, postpone(NOW)).await;
    assert_eq!(expired(store, Millis::NEVER).await, []);
}
