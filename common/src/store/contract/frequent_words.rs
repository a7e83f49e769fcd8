//! Words that stand in very many messages: the newest are found, as with rare ones.

use super::setup::{PHONE, ann_and_bob, append, done, group, join, origin, say};
use crate::api::Origin;
use crate::id::{ConvId, Millis, Seq, UserId};
use crate::store::search::{self, Hit, Indexed, SearchChange, Wanted};
use crate::store::{Change, Guard, Store};

/// Messages of each conversation here; more than are looked up whole.
const LENGTH: u64 = 700;

/// Messages of a page.
const PAGE: u32 = 60;

/// The words of the message with this number among all. Every message has other words that begin
/// with `id`.
fn words(number: u64) -> Vec<String> {
    let mut words = vec!["car".to_owned(), format!("id{number}")];
    let mut add = |is: bool, word: &str| words.extend(is.then(|| word.to_owned()));
    add(number.is_multiple_of(2), "cart");
    add(number.is_multiple_of(2), "even");
    add(number.is_multiple_of(3), "evening");
    add(!number.is_multiple_of(5), "most");
    add(number.is_multiple_of(101), "rare");
    words
}

/// What a message was indexed as.
#[derive(Debug)]
struct Message {
    hit: Hit,
    words: Vec<String>,
}

/// When the message with this number of a conversation was written, which is one of several: some
/// at the same time as others of the same conversation and of others.
fn time(nth: u64, seq: u64) -> Millis {
    Millis(i64::try_from(seq / 3 * (nth + 2)).unwrap())
}

/// The last message of a conversation.
fn say_at(from: UserId, conv: ConvId, at: Millis) -> Change {
    let origin = Origin {
        at,
        ..origin(from, &format!("last of {conv}"))
    };
    Change::Append(append(origin, conv, "last", Guard::Exists))
}

/// Indexes messages in these conversations.
async fn fill(store: &dyn Store, convs: &[ConvId]) -> Vec<Message> {
    let mut all = Vec::new();
    for (nth, conv) in (0..).zip(convs) {
        let first = all.len();
        for seq in 1..=LENGTH {
            let number = nth * LENGTH + seq;
            let (conv, seq, at) = (*conv, Seq(seq), time(nth, seq));
            all.push(Message {
                hit: Hit { conv, seq, at },
                words: words(number),
            });
        }
        let indexed = |message: &Message| Indexed {
            seq: message.hit.seq,
            at: message.hit.at,
            words: message.words.clone(),
        };
        let change = SearchChange {
            conv: *conv,
            upto: Seq(LENGTH),
            words: all[first..].iter().map(indexed).collect(),
            mentions: Vec::new(),
        };
        done(store, Change::Search(change)).await;
    }
    all.sort_by_key(|message| (message.hit.at, message.hit.conv, message.hit.seq));
    all.reverse();
    all
}

/// Three conversations of Ann, two of them with Bob, and the messages in them, the newest first.
async fn filled(store: &dyn Store) -> (UserId, UserId, Vec<Message>) {
    let (ann, bob) = ann_and_bob(store).await;
    let (direct, own) = (ConvId::direct(ann, bob), ConvId::direct(ann, ann));
    done(store, say_at(ann, direct, time(0, LENGTH))).await;
    done(store, say_at(ann, own, time(1, LENGTH))).await;
    let cars = group(store, ann, "cars").await;
    done(store, say(ann, ConvId::group(cars), "2")).await;
    done(store, join(bob, cars, "j")).await;
    let convs = [direct, own, ConvId::group(cars)];
    let messages = fill(store, &convs).await;
    (ann, bob, messages)
}

fn wanted(query: &str) -> Vec<Wanted> {
    let one = |word: &str| match word.strip_suffix('*') {
        Some(start) => Wanted::Prefix(start.to_owned()),
        None => Wanted::Word(word.to_owned()),
    };
    query.split(' ').map(one).collect()
}

fn says(message: &Message, wanted: &[Wanted]) -> bool {
    let has = |wanted: &Wanted| {
        message.words.iter().any(|word| match wanted {
            Wanted::Word(wanted) => word == wanted,
            Wanted::Prefix(start) => word.starts_with(start.as_str()),
        })
    };
    wanted.iter().all(has)
}

/// All pages together are what a look at every message finds.
async fn check(
    store: &dyn Store,
    (user, conv): (UserId, Option<ConvId>),
    query: &str,
    messages: &[Message],
) {
    let wanted = wanted(query);
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = search::find(store, user, conv, &wanted, after, PAGE);
        let page = page.await.unwrap();
        let is_last = page.len() < usize::try_from(PAGE).unwrap();
        found.extend(page);
        if is_last {
            break;
        }
        after = found.last().copied();
    }
    let is_looked_in = |message: &&Message| conv.is_none_or(|conv| conv == message.hit.conv);
    let looked_in = messages.iter().filter(is_looked_in);
    let expected: Vec<Hit> = looked_in
        .filter(|message| says(message, &wanted))
        .map(|message| message.hit)
        .collect();
    assert_eq!(found, expected, "{query}");
}

pub async fn the_newest_come_first_in_pages(store: &dyn Store) {
    let (ann, _, messages) = filled(store).await;
    for query in ["car", "ca*", "cart*", "even*"] {
        check(store, (ann, None), query, &messages).await;
        for message in [&messages[0], &messages[messages.len() - 1]] {
            check(store, (ann, Some(message.hit.conv)), query, &messages).await;
        }
    }
}

pub async fn any_two_may_be_asked_for(store: &dyn Store) {
    let (ann, _, messages) = filled(store).await;
    for query in [
        "car most",
        "most ca*",
        "ca* even*",
        "car rare",
        "rare ca*",
        "even evening most",
        "car id77*",
        "car missing",
        "car missing*",
    ] {
        check(store, (ann, None), query, &messages).await;
    }
}

pub async fn so_many_words_begin_alike(store: &dyn Store) {
    let (ann, _, messages) = filled(store).await;
    for query in ["i*", "id* car", "i* ca*", "i* rare", "id1*", "most id1*"] {
        check(store, (ann, None), query, &messages).await;
    }
}

pub async fn who_came_later_finds_what_came_later(store: &dyn Store) {
    let (ann, bob, mut messages) = filled(store).await;
    let places = store.behind(bob, PHONE).await.unwrap();
    let since = |conv| places.iter().find(|one| one.conv == conv).unwrap().cursor;
    let own = ConvId::direct(ann, ann);
    messages.retain(|Message { hit, .. }| hit.conv != own && hit.seq > since(hit.conv));
    let is_short = |message: &Message| message.hit.seq == Seq(1);
    // Of the group he missed the first.
    assert_eq!(messages.iter().filter(|one| is_short(one)).count(), 1);
    for query in ["car", "ca*", "i*", "car even*"] {
        check(store, (bob, None), query, &messages).await;
        check(store, (bob, Some(own)), query, &[]).await;
    }
}
