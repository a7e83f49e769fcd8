//! What refers to a stored file, who may read it, and that it stays as long as something refers to
//! it.

use super::file_setup::{
    AFTER, CAT, DOG, LATER, MD5, expired, forget, in_dialect, may_read, named, put, refer, sends,
    unrefer, upload, uploaded,
};
use super::setup::{
    NOW, ann_and_bob, befriend, done, group, join, leave, origin, refused, say, user,
};
use crate::api::{BlobClass, Dialect, GroupSettings, KnownSegment, Refusal, Segment};
use crate::id::{BlobId, ConvId, Millis, Seq};
use crate::store::file::{self, FileChange, GRACE_MS, Reference, Uploaded};
use crate::store::group::GroupChange;
use crate::store::message::MessageChange;
use crate::store::{Change, Guard, Outcome, Store};

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

pub async fn a_changed_message_refers_to_what_it_says_now(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    let shows = |file| {
        let picture = KnownSegment::Image {
            file,
            width: 1,
            height: 1,
            size: 100,
            name: None,
            thumbhash: None,
        };
        vec![Segment::from(picture)]
    };
    let edit = |client_id, file| {
        Change::Message(MessageChange::Edit {
            origin: origin(ann, client_id),
            conv,
            seq: Seq(1),
            segments: shows(file),
            not_before: Millis(0),
            guard: Guard::Exists,
        })
    };
    put(store, ann, CAT).await;
    put(store, ann, DOG).await;
    done(store, sends(ann, conv, "one", &[CAT])).await;
    refused(store, edit("e0", BlobId([9; 32])), Refusal::NoSuchFile).await;
    assert_eq!(expired(store, Millis::NEVER).await, [DOG]);
    done(store, edit("e1", DOG)).await;
    assert_eq!(expired(store, Millis(NOW.0 + GRACE_MS)).await, [CAT]);
    assert!(may_read(store, bob, DOG).await && !may_read(store, bob, CAT).await);
    let recall = MessageChange::Recall {
        origin: origin(ann, "r"),
        conv,
        seq: Seq(1),
        not_before: Millis(0),
    };
    done(store, Change::Message(recall)).await;
    assert_eq!(expired(store, Millis(NOW.0 + GRACE_MS)).await, [CAT, DOG]);
    assert!(!may_read(store, bob, DOG).await);
}

pub async fn a_dissolved_group_needs_no_files(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    for blob in [CAT, DOG] {
        put(store, ann, blob).await;
        let id = format!("{blob}");
        done(store, sends(ann, ConvId::group(cars), &id[..8], &[blob])).await;
    }
    done(store, sends(ann, ConvId::direct(ann, bob), "one", &[DOG])).await;
    let dissolve = GroupChange::Dissolve {
        origin: origin(ann, "end"),
        group: cars,
    };
    done(store, Change::Group(dissolve)).await;
    assert_eq!(expired(store, Millis(NOW.0 + GRACE_MS)).await, [CAT]);
    assert!(may_read(store, bob, DOG).await);
}

pub async fn the_picture_of_a_user_and_a_group_stays(store: &dyn Store) {
    let (ann, bob) = ann_and_bob(store).await;
    let cars = group(store, ann, "cars").await;
    let other = "0123456789abcdef0123456789abcdef";
    for (blob, md5) in [(CAT, MD5), (DOG, other)] {
        let new = Uploaded {
            class: BlobClass::Image,
            md5: Some(md5.to_owned()),
            ..upload(ann, blob)
        };
        done(store, uploaded(new)).await;
    }
    let shows = async |name: &str| {
        let mut profile = store.account(ann).await.unwrap().unwrap().profile;
        profile.avatar.custom = name.to_owned();
        done(store, Change::SetProfile { profile, at: NOW }).await;
    };
    shows(MD5).await;
    assert_eq!(expired(store, Millis::NEVER).await, [DOG]);
    assert!(may_read(store, bob, CAT).await && !may_read(store, bob, DOG).await);
    let set = GroupChange::Set {
        origin: origin(ann, "picture"),
        group: cars,
        settings: GroupSettings {
            avatar: Some(other.to_owned()),
            ..GroupSettings::default()
        },
    };
    done(store, Change::Group(set)).await;
    assert_eq!(expired(store, Millis::NEVER).await, []);
    shows("whatever an old client says").await;
    assert_eq!(expired(store, Millis(NOW.0 + GRACE_MS)).await, [CAT]);
    shows(MD5).await;
    shows(MD5).await;
    assert_eq!(expired(store, Millis::NEVER).await, []);
    shows("").await;
    assert_eq!(expired(store, Millis::NEVER).await, [CAT]);
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
    let is_legacy = async |blob| {
        let about = file::about(store, blob).await.unwrap();
        about.unwrap().is_legacy
    };
    let usable = async |user, blob| {
        let usable = file::usable(store, user, &[blob]).await.unwrap();
        !usable.is_empty()
    };
    done(store, named(MD5, CAT)).await;
    assert!(is_legacy(CAT).await && !may_read(store, ann, CAT).await);
    assert!(usable(ann, CAT).await && usable(bob, CAT).await);
    done(store, sends(ann, conv, "one", &[CAT])).await;
    done(store, unrefer(Reference::Message(conv, Seq(1)), NOW)).await;
    assert_eq!(expired(store, Millis::NEVER).await, []);
    // Also if it came over HTTP as well, before or after.
    put(store, ann, CAT).await;
    put(store, ann, DOG).await;
    assert!(!is_legacy(DOG).await && usable(ann, DOG).await && !usable(bob, DOG).await);
    assert_eq!(expired(store, AFTER).await, [DOG]);
    done(store, named("0000", DOG)).await;
    assert!(is_legacy(DOG).await);
    assert_eq!(expired(store, Millis::NEVER).await, []);
    // Messages from before may refer to it, and so whoever is signed in may read it.
    done(store, Change::File(FileChange::FromBefore { blob: CAT })).await;
    assert!(may_read(store, bob, CAT).await && !may_read(store, bob, DOG).await);
}
