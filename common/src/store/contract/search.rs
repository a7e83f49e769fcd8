//! The index of words: what is found, by whom, in which order.

use super::setup::{
    MANY, NOW, ann_and_bob, append, done, group, join, origin, say, say_freely, user,
};
use crate::api::Origin;
use crate::id::{ConvId, Millis, Seq, UserId};
use crate::store::search::{self, Hit, Indexed, SearchChange, Wanted};
use crate::store::{Change, Guard, Store};
use crate::words;

/// Indexes texts as the messages with these numbers; the time of each is its number.
async fn index(store: &dyn Store, conv: ConvId, texts: &[(u64, &str)]) {
    let indexed = |(seq, text): &(u64, &str)| Indexed {
        seq: Seq(*seq),
        at: Millis(i64::try_from(*seq).unwrap()),
        words: words::of_message(text),
    };
    let change = SearchChange {
        conv,
        upto: Seq(texts.iter().map(|(seq, _)| *seq).max().unwrap_or(0)),
        words: texts.iter().map(indexed).collect(),
        mentions: Vec::new(),
    };
    done(store, Change::Search(change)).await;
}

/// The places that a query finds, newest first.
async fn find(
    store: &dyn Store,
    user: UserId,
    conv: Option<ConvId>,
    query: &str,
) -> Vec<(ConvId, u64)> {
    let wanted = words::of_query(query);
    let hits = search::find(store, user, conv, &wanted, None, MANY).await;
    hits.unwrap()
        .into_iter()
        .map(|hit| {
            assert_eq!(hit.at.0, i64::try_from(hit.seq.0).unwrap());
            (hit.conv, hit.seq.0)
        })
        .collect()
}

/// A conversation of Ann with Bob that both may read.
async fn conversation(store: &dyn Store) -> (UserId, UserId, ConvId) {
    let (ann, bob) = ann_and_bob(store).await;
    let conv = ConvId::direct(ann, bob);
    done(store, say_freely(ann, conv, "hello")).await;
    (ann, bob, conv)
}

pub async fn chinese_words_of_two_letters_are_found(store: &dyn Store) {
    let (ann, bob, conv) = conversation(store).await;
    let texts = [
        (1, "我们明天去北京大学看朋友。"),
        (2, "京都很漂亮，北方很冷"),
        (3, "用iPhone拍的照片 北京"),
        (4, "𠮷野家の牛丼が食べたい"),
        (5, "안녕하세요 여러분"),
    ];
    index(store, conv, &texts).await;
    for (query, seqs) in [
        ("北京", vec![3, 1]),
        ("北京大学", vec![1]),
        ("大学 北京", vec![1]),
        ("朋友", vec![1]),
        ("京都", vec![2]),
        ("京北", vec![]),
        ("上海", vec![]),
        ("京", vec![3, 2, 1]),
        ("友", vec![1]),
        ("我 看", vec![1]),
        ("北 漂", vec![2]),
        ("照片 iph", vec![3]),
        ("IPHONE", vec![3]),
        ("𠮷野", vec![4]),
        ("食べたい", vec![4]),
        ("하세", vec![5]),
        ("。", vec![]),
    ] {
        for user in [ann, bob] {
            let found: Vec<u64> = find(store, user, None, query)
                .await
                .into_iter()
                .map(|(_, seq)| seq)
                .collect();
            assert_eq!(found, seqs, "{query}");
        }
    }
}

pub async fn all_words_must_be_there(store: &dyn Store) {
    let (ann, _, conv) = conversation(store).await;
    index(
        store,
        conv,
        &[(1, "good morning everybody"), (2, "good night")],
    )
    .await;
    index(store, conv, &[(3, "Morning good")]).await;
    for (query, seqs) in [
        ("good", vec![3, 2, 1]),
        ("good morning", vec![3, 1]),
        ("morning good", vec![3, 1]),
        ("good night morning", vec![]),
        ("goo", vec![3, 2, 1]),
        ("goo morning", vec![]),
        ("everybody good mor", vec![1]),
        ("e", vec![1]),
    ] {
        let found = find(store, ann, Some(conv), query).await;
        let seqs: Vec<(ConvId, u64)> = seqs.into_iter().map(|seq| (conv, seq)).collect();
        assert_eq!(found, seqs, "{query}");
    }
    let nothing = search::find(store, ann, None, &[], None, MANY).await;
    assert!(nothing.unwrap().is_empty());
}

pub async fn a_user_finds_what_he_may_read(store: &dyn Store) {
    let (ann, bob, direct) = conversation(store).await;
    let cem = user(store, "cem").await;
    let cars = group(store, ann, "cars").await;
    let log = ConvId::group(cars);
    done(store, say(ann, log, "2")).await;
    done(store, join(bob, cars, "j")).await;
    index(store, direct, &[(1, "red car")]).await;
    index(store, log, &[(2, "blue car"), (4, "green car")]).await;
    let both = async |user, conv| find(store, user, conv, "car").await;
    assert_eq!(both(ann, None).await, [(log, 4), (log, 2), (direct, 1)]);
    // What was said before one came stays unread and unfound.
    assert_eq!(both(bob, None).await, [(log, 4), (direct, 1)]);
    assert!(both(cem, None).await.is_empty());
    assert!(both(cem, Some(direct)).await.is_empty());
    assert_eq!(both(ann, Some(direct)).await, [(direct, 1)]);
    assert_eq!(both(bob, Some(log)).await, [(log, 4)]);
    for query in ["green c", "c green", "g c"] {
        let words: Vec<Wanted> = query
            .split(' ')
            .map(|start| Wanted::Prefix(start.to_owned()))
            .collect();
        let found = search::find(store, bob, None, &words, None, MANY).await;
        assert_eq!(found.unwrap().len(), 1, "{query}");
    }
}

pub async fn hits_come_newest_first_in_pages(store: &dyn Store) {
    let (ann, bob, direct) = conversation(store).await;
    let own = ConvId::direct(ann, ann);
    done(store, say_freely(ann, own, "note")).await;
    let at_once = |conv, seqs: [u64; 3], at: i64| {
        let indexed = |seq| Indexed {
            seq: Seq(seq),
            at: Millis(at),
            words: vec!["car".to_owned(), "cart".to_owned()],
        };
        Change::Search(SearchChange {
            conv,
            upto: Seq(9),
            words: seqs.map(indexed).to_vec(),
            mentions: Vec::new(),
        })
    };
    done(store, at_once(direct, [1, 2, 3], 70)).await;
    done(store, at_once(own, [4, 5, 6], 70)).await;
    done(store, at_once(own, [7, 8, 9], 60)).await;
    let mut order: Vec<(i64, ConvId, u64)> = Vec::new();
    order.extend([1, 2, 3].map(|seq| (70, direct, seq)));
    order.extend([4, 5, 6].map(|seq| (70, own, seq)));
    order.extend([7, 8, 9].map(|seq| (60, own, seq)));
    order.sort_unstable();
    order.reverse();
    for wanted in [
        vec![Wanted::Word("car".to_owned())],
        // Two words of a message begin so: it is one hit all the same.
        vec![Wanted::Prefix("ca".to_owned())],
    ] {
        let (mut after, mut paged): (Option<Hit>, Vec<_>) = (None, Vec::new());
        loop {
            let page = search::find(store, ann, None, &wanted, after, 2)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = Some(*last);
            paged.extend(page.iter().map(|hit| (hit.at.0, hit.conv, hit.seq.0)));
        }
        assert_eq!(paged, order);
    }
    assert_eq!(find_count(store, bob, "cart").await, 3);
}

async fn find_count(store: &dyn Store, user: UserId, word: &str) -> usize {
    let wanted = [Wanted::Word(word.to_owned())];
    let hits = search::find(store, user, None, &wanted, None, MANY).await;
    hits.unwrap().len()
}

pub async fn any_word_is_only_a_word(store: &dyn Store) {
    let (ann, _, conv) = conversation(store).await;
    let longest = "x".repeat(96);
    let words = ["'; --", "%", "100%", "Ä", "a", "\\", longest.as_str(), "😀"];
    for (word, seq) in words.iter().zip(1..) {
        let change = SearchChange {
            conv,
            upto: Seq(seq),
            words: vec![Indexed {
                seq: Seq(seq),
                at: NOW,
                words: vec![(*word).to_owned()],
            }],
            mentions: Vec::new(),
        };
        done(store, Change::Search(change)).await;
    }
    for word in words {
        assert_eq!(find_count(store, ann, word).await, 1, "{word}");
    }
    for word in ["ä", "A", "a ", "%%", "_"] {
        assert_eq!(find_count(store, ann, word).await, 0, "{word}");
    }
}

pub async fn the_index_tells_how_far_it_is(store: &dyn Store) {
    let (ann, bob, conv) = conversation(store).await;
    let own = ConvId::direct(ann, ann);
    let say_to_oneself = Change::Append(append(
        Origin {
            at: Millis(5),
            ..origin(ann, "own")
        },
        own,
        "own",
        Guard::Exists,
    ));
    done(store, say_to_oneself).await;
    let behind = async |limit| search::behind(store, None, limit).await.unwrap();
    let mut both = vec![(conv, Seq(0)), (own, Seq(0))];
    both.sort_unstable();
    assert_eq!(behind(MANY).await, both);
    assert_eq!(behind(1).await, both[..1]);
    let rest = search::behind(store, Some(both[0].0), MANY).await;
    assert_eq!(rest.unwrap(), both[1..]);
    index(store, own, &[(1, "own")]).await;
    assert_eq!(behind(MANY).await, [(conv, Seq(0))]);
    index(store, conv, &[(1, "hello")]).await;
    assert!(behind(MANY).await.is_empty());
    done(store, say_freely(bob, conv, "again")).await;
    assert_eq!(behind(MANY).await, [(conv, Seq(1))]);
    // The same again changes nothing, also from an indexer that is late.
    index(store, conv, &[(1, "hello")]).await;
    index(store, conv, &[]).await;
    assert_eq!(behind(MANY).await, [(conv, Seq(1))]);
    assert_eq!(find(store, ann, None, "hello").await, [(conv, 1)]);
}
