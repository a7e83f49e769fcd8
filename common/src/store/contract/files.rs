//! Stored files: who uploaded them, how much that is, and when they go.

use super::file_setup::{
    AFTER, CAT, DOG, HOUR, LATER, MD5, erased, expired, forget, is_here, may_read, named, put,
    refer, sends, unrefer, upload, uploaded,
};
use super::setup::{NOW, ann_and_bob, commit, done, refused, user};
use crate::api::{BlobClass, Refusal};
use crate::id::{BlobId, ConvId, Millis, Seq};
use crate::store::file::{self, FileChange, Nameless, Picture, Reference, Uploaded};
use crate::store::{Change, Outcome, Store};

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
    // Its name in one class says what it would be called in the other.
    let wanted = [
        (BlobClass::File, CAT),
        (BlobClass::Image, CAT),
        (BlobClass::File, DOG),
    ];
    let nameless = |class, blob, md5: Option<&str>| Nameless {
        class,
        blob,
        md5: md5.map(str::to_owned),
    };
    assert_eq!(
        file::nameless(store, &wanted).await.unwrap(),
        [
            nameless(BlobClass::Image, CAT, Some(MD5)),
            nameless(BlobClass::File, DOG, None)
        ]
    );
    // The name says nothing about when the file goes.
    assert_eq!(expired(store, AFTER).await.len(), 2);
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
