//! What happens in conversations, through the commands, on a real database.

use common::api::{BlobClass, KnownSegment, Refusal, Segment};
use common::config::ChatConfig;
use common::id::{BlobId, ConvId, Millis, Peer, Seq};
use common::store::file::{FileChange, Picture, Uploaded};
use common::store::meta::MetaChange;
use common::store::{Change, StoreError};

use super::*;
use crate::actor::{Actor, Mark};
use crate::content::{self, Current};
use crate::indexer;
use crate::testing::{TestServer, named};

fn text(text: &str) -> Vec<Segment> {
    let text = text.to_owned();
    vec![KnownSegment::Text { text }.into()]
}

fn draft(says: &str) -> Draft {
    Draft {
        segments: text(says),
        reply_to: None,
    }
}

async fn say(
    server: &TestServer,
    who: &Actor,
    conv: ConvId,
    says: &str,
    id: &str,
) -> Result<Sent, Failure> {
    let sending = send_segments(&server.app, who, conv, draft(says), named(id)).await?;
    sending.saved().await
}

/// Ann and Bob are friends, and there is Eve; Ann has written to Bob.
async fn scene(config: ChatConfig) -> (TestServer, [Actor; 3], ConvId) {
    let server = TestServer::new(config).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let eve = server.user("eve").await;
    server.befriend(&ann, &bob).await;
    let opened = open_conversation(&server.app, &ann, Peer::User(bob.user)).await;
    let conv = opened.unwrap().place.conv;
    for (nth, says) in ["我们去北京", "two", "three"].into_iter().enumerate() {
        let sent = say(&server, &ann, conv, says, &format!("a{nth}"))
            .await
            .unwrap();
        assert_eq!(
            (sent.seq.0, sent.is_repeat),
            (u64::try_from(nth).unwrap() + 1, false)
        );
    }
    (server, [ann, bob, eve], conv)
}

fn seqs(history: &History) -> Vec<u64> {
    history.entries.iter().map(|entry| entry.seq.0).collect()
}

fn is(result: Result<impl Sized, Failure>, wanted: Refusal) -> bool {
    matches!(result.err(), Some(Failure::Refused(refusal)) if refusal == wanted)
}

async fn now(server: &TestServer, who: &Actor, conv: ConvId, seq: u64) -> Current {
    let entry = message_at(&server.app, who, conv, Seq(seq)).await.unwrap();
    content::current(&*server.app.store, &[entry])
        .await
        .unwrap()
        .remove(0)
}

async fn found(server: &TestServer, who: &Actor, says: &str) -> Vec<u64> {
    let question = Question {
        text: says.to_owned(),
        conv: None,
        after: None,
        limit: 10,
    };
    let answer = search(&server.app, who, question).await.unwrap();
    answer
        .messages
        .iter()
        .map(|message| message.entry.seq.0)
        .collect()
}

#[tokio::test]
async fn a_send_is_repeated_and_its_fate_is_known() {
    let (server, [ann, bob, eve], conv) = scene(ChatConfig::default()).await;
    let again = say(&server, &ann, conv, "two", "a1").await.unwrap();
    assert_eq!((again.seq, again.is_repeat), (Seq(2), true));
    assert!(is(
        say(&server, &ann, conv, "other", "a1").await,
        Refusal::ClientIdConflict
    ));
    assert!(is(
        say(&server, &eve, conv, "hi", "e1").await,
        Refusal::NoSuchConversation
    ));
    let to_bob = ConvId::direct(eve.user, bob.user);
    assert!(is(
        say(&server, &eve, to_bob, "hi", "e1").await,
        Refusal::NotFriends
    ));
    let Mark { client_id, .. } = named("a1");
    let client_id = client_id.unwrap();
    let entry = fate(&server.app, &ann, &client_id).await.unwrap().unwrap();
    assert_eq!((entry.conv, entry.seq), (conv, Seq(2)));
    assert_eq!(fate(&server.app, &bob, &client_id).await.unwrap(), None);
}

#[tokio::test]
async fn a_saved_send_is_repeated_also_when_it_would_be_refused_now() {
    let (server, [ann, bob, _], _) = scene(ChatConfig::default()).await;
    let app = &server.app;
    let made = create_group(app, &ann, "cars".to_owned(), Mark::default()).await;
    let group = made.unwrap();
    let conv = ConvId::group(group);
    add_member(app, &ann, group, bob.user, Mark::default())
        .await
        .unwrap();
    let asked = say(&server, &ann, conv, "who drives?", "q").await.unwrap();
    let answer = |says| Draft {
        reply_to: Some(asked.seq),
        ..draft(says)
    };
    let sending = send_segments(app, &bob, conv, answer("I"), named("a")).await;
    let first = sending.unwrap().saved().await.unwrap();
    // The answer is lost, and meanwhile Bob is not in the group any more.
    remove_member(app, &ann, group, bob.user, Mark::default())
        .await
        .unwrap();
    let sending = send_segments(app, &bob, conv, answer("I"), named("a")).await;
    let again = sending.unwrap().saved().await.unwrap();
    assert_eq!((again.seq, again.at), (first.seq, first.at));
    assert!(again.is_repeat);
    let other = send_segments(app, &bob, conv, answer("not I"), named("a")).await;
    assert!(is(other, Refusal::ClientIdConflict));
    let fresh = send_segments(app, &bob, conv, answer("I"), named("b")).await;
    assert!(is(fresh, Refusal::NotAMember));
}

#[tokio::test]
async fn who_wrote_has_read_also_if_nobody_waits_for_the_answer() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let opened = open_conversation(&server.app, &ann, Peer::User(bob.user)).await;
    let conv = opened.unwrap().place.conv;
    let held = store.hold_commits().await;
    let sending = send_segments(&server.app, &ann, conv, draft("hi"), named("a")).await;
    store.is_asked_to_commit().await;
    // The connection of the request breaks.
    drop(sending.unwrap());
    drop(held);
    server.save(Change::Meta(MetaChange::Barrier)).await;
    let marks = server.app.log.own_marks().of_user(ann.user);
    assert_eq!(marks, [((ann.user, conv), Seq(1))]);
}

#[tokio::test]
async fn who_answered_has_read_at_once_and_for_good() {
    let (server, [ann, bob, _], conv) = scene(ChatConfig::default()).await;
    let app = &server.app;
    let mut furthest = Seq(0);
    for round in 0..5 {
        for (who, text) in [(&bob, "question"), (&ann, "answer")] {
            let name = named(&format!("{text}{round}"));
            let sending = send_segments(app, who, conv, draft(text), name).await;
            sending.unwrap().saved().await.unwrap();
        }
        let place = conversation(app, &ann, conv).await.unwrap().place;
        assert_eq!((place.unread, place.read), (0, place.head));
        assert!(place.read > furthest);
        furthest = place.read;
        assert!(app.log.own_marks().of_user(ann.user).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn who_reads_needs_a_database_that_saves_no_more_than_before() {
    let (server, store) = TestServer::faulty(ChatConfig::default()).await;
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    server.befriend(&ann, &bob).await;
    let app = &server.app;
    let opened = open_conversation(app, &ann, Peer::User(bob.user)).await;
    let conv = opened.unwrap().place.conv;
    let sent = say(&server, &ann, conv, "hi", "a").await.unwrap();
    let waits = || app.log.own_marks().of_user(ann.user);
    store.fail_commits(StoreError::Unreachable("away".to_owned()));
    let shown = conversation(app, &ann, conv).await.unwrap();
    assert_eq!(shown.place.head, sent.seq);
    assert_eq!(waits(), [((ann.user, conv), sent.seq)], "it is tried again");
    store.mend_commits();
    let shown = conversation(app, &ann, conv).await.unwrap();
    assert_eq!((shown.place.read, waits().len()), (sent.seq, 0));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let (server, [ann, ..], conv) = scene(ChatConfig::default()).await;
    let app = &server.app;
    let long = "x".repeat(app.config.message_bytes_max.in_memory());
    let sent = send_segments(app, &ann, conv, draft(&long), named("l")).await;
    assert!(matches!(sent, Err(Failure::MessageTooLarge)));
    let file = KnownSegment::File {
        file: BlobId([7; 32]),
        name: "x".to_owned(),
        size: 1,
        mime: String::new(),
    };
    let missing = Draft {
        segments: vec![file.into()],
        reply_to: None,
    };
    let sent = send_segments(app, &ann, conv, missing, named("f")).await;
    assert!(matches!(sent, Err(Failure::NoSuchFile)));
    let answer = Draft {
        reply_to: Some(Seq(9)),
        ..draft("what?")
    };
    let sent = send_segments(app, &ann, conv, answer, named("r")).await;
    assert!(is(sent, Refusal::NoSuchMessage));
}

fn uploaded(class: BlobClass, owner: &Actor, at: Millis) -> Uploaded {
    Uploaded {
        class,
        blob: BlobId([7; 32]),
        size: 9 << 20,
        mime: "text/plain".to_owned(),
        name: None,
        picture: None,
        owner: Some(owner.user),
        md5: None,
        at,
        expires: None,
        user_bytes_max: None,
        total_bytes_max: None,
    }
}

#[tokio::test]
async fn a_repeated_message_is_the_same_although_more_is_known_of_its_picture() {
    let (server, [ann, ..], conv) = scene(ChatConfig::default()).await;
    let app = &server.app;
    let md5 = Some("0123456789abcdef0123456789abcdef".to_owned());
    let as_file = Uploaded {
        md5: md5.clone(),
        ..uploaded(BlobClass::File, &ann, app.clock.now())
    };
    server
        .save(Change::File(FileChange::Uploaded(as_file)))
        .await;
    let send = async || {
        let picture = KnownSegment::Image {
            file: BlobId([7; 32]),
            name: Some("cat.png".to_owned()),
            width: 10,
            height: 10,
            size: 5,
            thumbhash: None,
        };
        let with_picture = Draft {
            segments: vec![picture.into()],
            reply_to: None,
        };
        let sending = send_segments(app, &ann, conv, with_picture, named("p")).await?;
        sending.saved().await
    };
    let first = send().await.unwrap();
    let as_picture = Uploaded {
        mime: "image/png".to_owned(),
        picture: Some(Picture {
            width: 640,
            height: 480,
            thumbhash: None,
        }),
        md5,
        ..uploaded(BlobClass::Image, &ann, app.clock.now())
    };
    server
        .save(Change::File(FileChange::Uploaded(as_picture)))
        .await;
    let again = send().await.unwrap();
    assert_eq!((again.seq, again.is_repeat), (first.seq, true));
}

#[tokio::test]
async fn a_message_waits_for_the_names_of_its_files() {
    let (server, [ann, ..], conv) = scene(ChatConfig::default()).await;
    let app = &server.app;
    let blob = BlobId([7; 32]);
    let at = app.clock.now();
    let unnamed = uploaded(BlobClass::File, &ann, at);
    server
        .save(Change::File(FileChange::Uploaded(unnamed)))
        .await;
    let file = KnownSegment::File {
        file: blob,
        name: "large".to_owned(),
        size: 0,
        mime: String::new(),
    };
    let with_file = Draft {
        segments: vec![file.into()],
        reply_to: None,
    };
    let mut prepared = prepare_segments(app, &ann, conv, with_file, named("f"))
        .await
        .unwrap();
    assert!(!prepared.is_ready());
    let text = prepare_segments(app, &ann, conv, draft("hi"), named("t")).await;
    assert!(text.unwrap().is_ready());
    let named_now = FileChange::Named {
        class: BlobClass::File,
        blob,
        md5: "0123456789abcdef0123456789abcdef".to_owned(),
        at,
    };
    server.save(Change::File(named_now)).await;
    prepared.ready(app).await.unwrap();
    assert!(prepared.is_ready());
    let sending = prepared.hand_in(app, &ann).await.unwrap();
    assert!(!sending.saved().await.unwrap().is_repeat);
}

#[tokio::test]
async fn history_is_read_from_both_ends_and_by_nobody_else() {
    let (server, [ann, bob, eve], conv) = scene(ChatConfig::default()).await;
    let app = &server.app;
    let read = async |part, limit| history(app, &bob, conv, part, limit).await.unwrap();
    let newest = read(Part::Newest, 2).await;
    assert_eq!((seqs(&newest), newest.next), (vec![2, 3], Some(Seq(2))));
    let rest = read(Part::Before(Seq(2)), 2).await;
    assert_eq!((seqs(&rest), rest.next), (vec![1], None));
    let first = read(Part::After(Seq(0)), 2).await;
    assert_eq!((seqs(&first), first.next), (vec![1, 2], Some(Seq(2))));
    let end = read(Part::After(Seq(u64::MAX)), 2).await;
    assert_eq!((seqs(&end), end.next), (vec![], None));
    assert_eq!(seqs(&read(Part::Before(Seq(u64::MAX)), 9).await), [1, 2, 3]);
    assert_eq!(seqs(&read(Part::Before(Seq(0)), 9).await), [0; 0]);

    let stranger = history(app, &eve, conv, Part::Newest, 9).await;
    assert!(is(stranger, Refusal::NoSuchConversation));
    let group = create_group(app, &ann, "ours".to_owned(), Mark::default())
        .await
        .unwrap();
    let stranger = history(app, &eve, ConvId::group(group), Part::Newest, 9).await;
    assert!(is(stranger, Refusal::NotAMember));
    let inbox = history(app, &bob, ConvId::inbox(bob.user), Part::Newest, 9).await;
    assert!(is(inbox, Refusal::NoSuchConversation));
}

#[tokio::test]
async fn reading_is_counted_and_seen() {
    let (server, [ann, bob, _], conv) = scene(ChatConfig::default()).await;
    let app = &server.app;
    let listed = list_conversations(app, &bob, false, None, 10)
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].place.unread, listed[0].place.head), (3, Seq(3)));
    assert_eq!(listed[0].last.as_ref().map(|last| last.seq), Some(Seq(3)));
    mark_read(app, &bob, conv, Seq(u64::MAX)).await.unwrap();
    assert_eq!(conversation(app, &bob, conv).await.unwrap().place.unread, 0);
    let of_ann = conversation(app, &ann, conv).await.unwrap();
    assert_eq!(of_ann.peer_read, Some(Seq(3)));
    assert_eq!(
        of_ann.place.read,
        Seq(3),
        "who writes has read what stands before"
    );
    let readers = readers(app, &ann, conv, Seq(3)).await.unwrap();
    assert_eq!((readers.count, readers.users), (1, vec![bob.user]));
    let settings = ConversationSettings {
        pinned: Some(true),
        ..ConversationSettings::default()
    };
    let set = set_conversation(app, &bob, conv, settings).await.unwrap();
    assert!(set.place.pinned);
}

#[tokio::test]
async fn changed_messages_are_shown_and_found_as_they_are_now() {
    let (server, [ann, bob, eve], conv) = scene(ChatConfig::default()).await;
    let app = &server.app;
    indexer::scan(app).await.unwrap();
    assert_eq!(found(&server, &bob, "北京").await, [1]);
    assert_eq!(found(&server, &bob, "t").await, [3, 2]);
    assert_eq!(found(&server, &eve, "t").await, [0; 0]);
    let changed = text("我们去上海 two");
    edit(app, &ann, conv, Seq(1), changed.clone(), Mark::default())
        .await
        .unwrap();
    recall(app, &ann, conv, Seq(2), Mark::default())
        .await
        .unwrap();
    let reacting = Reacting {
        seq: Seq(3),
        emoji: "👍".to_owned(),
        added: true,
    };
    react(app, &bob, conv, reacting, Mark::default())
        .await
        .unwrap();
    indexer::scan(app).await.unwrap();
    assert_eq!(found(&server, &bob, "北京").await, [0; 0]);
    assert_eq!(found(&server, &bob, "上海").await, [1]);
    assert_eq!(found(&server, &bob, "two").await, [1]);

    assert_eq!(now(&server, &bob, conv, 1).await.content.segments, changed);
    let recalled = now(&server, &bob, conv, 2).await;
    assert!(recalled.is_recalled() && recalled.content.segments.is_empty());
    assert_eq!(
        now(&server, &bob, conv, 3)
            .await
            .state
            .unwrap()
            .reactions
            .len(),
        1
    );
    let all = history(app, &bob, conv, Part::Newest, 10).await.unwrap();
    assert_eq!(
        seqs(&all),
        [1, 2, 3],
        "what is said about messages has no place of its own"
    );
    let last = conversation(app, &bob, conv).await.unwrap().last;
    assert_eq!(last.map(|last| last.seq), Some(Seq(3)));
    assert!(is(
        message_at(app, &bob, conv, Seq(4)).await,
        Refusal::NoSuchMessage
    ));
}

#[tokio::test]
async fn the_time_to_recall_ends() {
    let config = ChatConfig {
        recall_within_s: 0,
        ..ChatConfig::default()
    };
    let (server, [ann, bob, eve], conv) = scene(config).await;
    let app = &server.app;
    let recalled = recall(app, &ann, conv, Seq(1), Mark::default()).await;
    assert!(is(recalled, Refusal::TooLate));
    let recalled = recall(app, &bob, conv, Seq(1), Mark::default()).await;
    assert!(is(recalled, Refusal::NotTheAuthor));
    let recalled = recall(app, &eve, conv, Seq(1), Mark::default()).await;
    assert!(is(recalled, Refusal::NoSuchConversation));
}

#[tokio::test]
async fn a_message_is_passed_on_with_the_name_of_its_author() {
    let (server, [ann, bob, eve], conv) = scene(ChatConfig::default()).await;
    let app = &server.app;
    let group = create_group(app, &bob, "ours".to_owned(), Mark::default())
        .await
        .unwrap();
    let into = ConvId::group(group);
    let source = Source { conv, seq: Seq(2) };
    let sent = forward(app, &bob, into, source, named("f")).await.unwrap();
    let shown = now(&server, &bob, into, sent.seq.0).await.content;
    assert_eq!(shown.segments, text("two"));
    assert_eq!(shown.forwarded_from.unwrap().nickname, "ANN");
    let again = forward(app, &bob, into, source, named("f")).await.unwrap();
    assert_eq!((again.seq, again.is_repeat), (sent.seq, true));
    let other = Source { conv, seq: Seq(3) };
    let other = forward(app, &bob, into, other, named("f")).await;
    assert!(is(other, Refusal::ClientIdConflict));
    let changed = edit(app, &ann, conv, Seq(2), text("2"), Mark::default()).await;
    changed.unwrap();
    let again = forward(app, &bob, into, source, named("f")).await.unwrap();
    assert_eq!((again.seq, again.is_repeat), (sent.seq, true));
    recall(app, &ann, conv, Seq(2), Mark::default())
        .await
        .unwrap();
    let again = forward(app, &bob, into, source, named("f")).await.unwrap();
    assert_eq!((again.seq, again.is_repeat), (sent.seq, true));
    let stranger = forward(app, &eve, into, source, named("f")).await;
    assert!(is(stranger, Refusal::NoSuchConversation));
}

#[tokio::test]
async fn who_asks_again_at_once_is_not_told_of_again() {
    let (server, [ann, _, eve], _) = scene(ChatConfig::default()).await;
    let app = &server.app;
    let inbox = ConvId::inbox(ann.user);
    let told = async || {
        let entries = app.store.pull(inbox, Seq(0), 100).await.unwrap();
        entries.len()
    };
    let before = told().await;
    let ask = |note: &str| request_friend(app, &eve, ann.user, note.to_owned(), Mark::default());
    assert!(!ask("hi").await.unwrap());
    assert!(ask("hi").await.unwrap());
    assert_eq!(told().await, before + 1);
    assert!(!ask("it is me").await.unwrap());
    assert_eq!(told().await, before + 2);
    let on_pc = Actor {
        device: common::id::DeviceId(1),
        ..eve.clone()
    };
    let note = "it is me".to_owned();
    let again = request_friend(app, &on_pc, ann.user, note, Mark::default()).await;
    assert!(!again.unwrap());
    assert_eq!(told().await, before + 3);

    let group = create_group(app, &ann, "ours".to_owned(), Mark::default());
    let group = group.await.unwrap();
    let settings = common::api::GroupSettings {
        join: Some(common::api::JoinPolicy::Approval),
        ..common::api::GroupSettings::default()
    };
    set_group(app, &ann, group, settings, Mark::default())
        .await
        .unwrap();
    let before = told().await;
    for _ in 0..3 {
        let joined = join_or_ask(app, &eve, group, String::new(), Mark::default()).await;
        assert_eq!(joined.unwrap(), Joined::Asked);
    }
    assert_eq!(told().await, before + 1);
}

#[tokio::test]
async fn notes_to_oneself_are_edited_and_reacted_to() {
    let (server, [ann, ..], _) = scene(ChatConfig::default()).await;
    let notes = ConvId::direct(ann.user, ann.user);
    say(&server, &ann, notes, "milk", "n").await.unwrap();
    let app = &server.app;
    let milk = text("oat milk");
    edit(app, &ann, notes, Seq(1), milk.clone(), Mark::default())
        .await
        .unwrap();
    let reacting = Reacting {
        seq: Seq(1),
        emoji: "✅".to_owned(),
        added: true,
    };
    react(app, &ann, notes, reacting, Mark::default())
        .await
        .unwrap();
    assert_eq!(now(&server, &ann, notes, 1).await.content.segments, milk);
}
