//! From the text of a screenplay to steps.
//!
//! Knows the sentences and nothing of how they are played.

use super::player::{Change, Protocol, Thing};
use crate::wire::Flavor;

/// A play ready to be performed.
#[derive(Debug, PartialEq)]
pub struct Play {
    /// Device names; no protocol means any.
    pub cast: Vec<(String, Option<Protocol>)>,
    /// Steps with their line numbers.
    pub steps: Vec<(usize, Step)>,
}

#[derive(Debug, PartialEq)]
pub enum Step {
    ServerKilled,
    ServerRestarted,
    Does(String, Act),
}

/// What somebody does or notices. Names are accounts or groups.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    Connects,
    Disconnects,
    IsKicked,
    Befriends(String),
    Asks {
        who: String,
        note: String,
    },
    IsAskedBy {
        who: String,
        note: String,
    },
    Accepts(String),
    Refuses(String),
    IsAcceptedBy(String),
    IsRefusedBy(String),
    Unfriends(String),
    IsUnfriendedBy(String),
    Blocks(String),
    Unblocks(String),
    Sends {
        to: String,
        what: Thing,
    },
    Repeats {
        to: String,
        text: String,
    },
    Tells {
        to: Vec<String>,
        text: String,
    },
    Hears {
        from: String,
        group: Option<String>,
        what: Vec<Thing>,
    },
    HearsNothing,
    Changes {
        to: String,
        text: String,
        change: Change,
    },
    Sees {
        from: String,
        group: Option<String>,
        text: String,
        change: Change,
    },
    Creates(String),
    Joins(String),
    Leaves(String),
    Invites {
        who: String,
        group: String,
    },
    Removes {
        who: String,
        group: String,
    },
    AddsTeam(String),
    Puts {
        who: String,
        team: String,
    },
    Calls {
        who: String,
        name: String,
    },
    HasContacts(Vec<String>),
    HasInTeam {
        who: String,
        team: String,
    },
    Knows {
        who: String,
        name: String,
    },
    SeesOnline(String),
    SeesOffline(String),
}

/// A sentence and what it means: the captured words in order become an act.
type Sentence = (&'static str, fn(&[String]) -> Act);

/// The sentences. A word in braces is captured; a longer sentence stands before a shorter one
/// that begins alike.
const SENTENCES: &[Sentence] = &[
    ("connects", |_| Act::Connects),
    ("disconnects", |_| Act::Disconnects),
    ("is kicked", |_| Act::IsKicked),
    ("befriends {}", |w| Act::Befriends(w[0].clone())),
    ("asks {} to be friends: {}", |w| asks(&w[0], &w[1])),
    ("asks {} to be friends", |w| asks(&w[0], "")),
    ("is asked by {}: {}", |w| is_asked(&w[0], &w[1])),
    ("is asked by {}", |w| is_asked(&w[0], "")),
    ("accepts {}", |w| Act::Accepts(w[0].clone())),
    ("refuses {}", |w| Act::Refuses(w[0].clone())),
    ("is accepted by {}", |w| Act::IsAcceptedBy(w[0].clone())),
    ("is refused by {}", |w| Act::IsRefusedBy(w[0].clone())),
    ("unfriends {}", |w| Act::Unfriends(w[0].clone())),
    ("is unfriended by {}", |w| Act::IsUnfriendedBy(w[0].clone())),
    ("blocks {}", |w| Act::Blocks(w[0].clone())),
    ("unblocks {}", |w| Act::Unblocks(w[0].clone())),
    ("says to {}: {}", |w| {
        sends(&w[0], Thing::Text(w[1].clone()))
    }),
    ("repeats to {}: {}", |w| Act::Repeats {
        to: w[0].clone(),
        text: w[1].clone(),
    }),
    ("tells {}: {}", |w| Act::Tells {
        to: list(&w[0]),
        text: w[1].clone(),
    }),
    ("hears in {} from {}: {}", |w| {
        hears(&w[1], Some(&w[0]), texts(&w[2]))
    }),
    ("hears from {}: {}", |w| hears(&w[0], None, texts(&w[1]))),
    ("hears nothing", |_| Act::HearsNothing),
    ("nudges {}", |w| sends(&w[0], Thing::Nudge)),
    ("is nudged by {}", |w| {
        hears(&w[0], None, vec![Thing::Nudge])
    }),
    ("sends face {} to {}", |w| sends(&w[1], face(&w[0]))),
    ("gets face {} from {}", |w| {
        hears(&w[1], None, vec![face(&w[0])])
    }),
    ("sends picture {} to {}", |w| {
        sends(&w[1], Thing::Picture(w[0].clone()))
    }),
    ("gets picture {} from {}", |w| {
        hears(&w[1], None, vec![Thing::Picture(w[0].clone())])
    }),
    ("sends file {} to {}", |w| {
        sends(&w[1], Thing::File(w[0].clone()))
    }),
    ("gets file {} from {}", |w| {
        hears(&w[1], None, vec![Thing::File(w[0].clone())])
    }),
    ("recalls to {}: {}", |w| {
        changes(&w[0], &w[1], Change::Recalled)
    }),
    ("edits to {}: {} into {}", |w| {
        changes(&w[0], &w[1], Change::Edited(w[2].clone()))
    }),
    ("reacts to {} with {}: {}", |w| {
        changes(&w[0], &w[2], Change::Reacted(w[1].clone()))
    }),
    ("sees recalled in {} by {}: {}", |w| {
        sees(&w[1], Some(&w[0]), &w[2], Change::Recalled)
    }),
    ("sees recalled by {}: {}", |w| {
        sees(&w[0], None, &w[1], Change::Recalled)
    }),
    ("sees edited in {} by {}: {} into {}", |w| {
        sees(&w[1], Some(&w[0]), &w[2], Change::Edited(w[3].clone()))
    }),
    ("sees edited by {}: {} into {}", |w| {
        sees(&w[0], None, &w[1], Change::Edited(w[2].clone()))
    }),
    ("sees reaction in {} by {} with {}: {}", |w| {
        sees(&w[1], Some(&w[0]), &w[3], Change::Reacted(w[2].clone()))
    }),
    ("sees reaction by {} with {}: {}", |w| {
        sees(&w[0], None, &w[2], Change::Reacted(w[1].clone()))
    }),
    ("creates group {}", |w| Act::Creates(w[0].clone())),
    ("joins {}", |w| Act::Joins(w[0].clone())),
    ("leaves {}", |w| Act::Leaves(w[0].clone())),
    ("invites {} into {}", |w| Act::Invites {
        who: w[0].clone(),
        group: w[1].clone(),
    }),
    ("removes {} from {}", |w| Act::Removes {
        who: w[0].clone(),
        group: w[1].clone(),
    }),
    ("adds team {}", |w| Act::AddsTeam(w[0].clone())),
    ("puts {} into {}", |w| Act::Puts {
        who: w[0].clone(),
        team: w[1].clone(),
    }),
    ("calls {}: {}", |w| Act::Calls {
        who: w[0].clone(),
        name: w[1].clone(),
    }),
    ("has no contacts", |_| Act::HasContacts(Vec::new())),
    ("has contacts: {}", |w| Act::HasContacts(list(&w[0]))),
    ("has {} in {}", |w| Act::HasInTeam {
        who: w[0].clone(),
        team: w[1].clone(),
    }),
    ("knows {} as {}", |w| Act::Knows {
        who: w[0].clone(),
        name: w[1].clone(),
    }),
    ("sees {} online", |w| Act::SeesOnline(w[0].clone())),
    ("sees {} offline", |w| Act::SeesOffline(w[0].clone())),
];

fn asks(who: &str, note: &str) -> Act {
    let (who, note) = (who.to_owned(), note.to_owned());
    Act::Asks { who, note }
}

fn is_asked(who: &str, note: &str) -> Act {
    let (who, note) = (who.to_owned(), note.to_owned());
    Act::IsAskedBy { who, note }
}

fn sends(to: &str, what: Thing) -> Act {
    let to = to.to_owned();
    Act::Sends { to, what }
}

fn hears(from: &str, group: Option<&str>, what: Vec<Thing>) -> Act {
    let (from, group) = (from.to_owned(), group.map(str::to_owned));
    Act::Hears { from, group, what }
}

fn changes(to: &str, text: &str, change: Change) -> Act {
    let (to, text) = (to.to_owned(), text.to_owned());
    Act::Changes { to, text, change }
}

fn sees(from: &str, group: Option<&str>, text: &str, change: Change) -> Act {
    let (from, group) = (from.to_owned(), group.map(str::to_owned));
    let text = text.to_owned();
    Act::Sees {
        from,
        group,
        text,
        change,
    }
}

fn face(number: &str) -> Thing {
    // A face that is no number fails where it is sent.
    Thing::Face(number.parse().unwrap_or_default())
}

fn texts(words: &str) -> Vec<Thing> {
    list(words).into_iter().map(Thing::Text).collect()
}

/// Reads a screenplay; an error names the line.
pub fn parse(text: &str) -> Result<Play, String> {
    let mut play = Play {
        cast: Vec::new(),
        steps: Vec::new(),
    };
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let problem = |what: &str| format!("line {number}: {what}: {line}");
        if let Some(rest) = line.strip_prefix('[') {
            let (name, kind) = rest.split_once(']').ok_or_else(|| problem("no ]"))?;
            let protocol = match kind.trim() {
                "any" => None,
                "pc" => Some(Protocol::Flamingo(Flavor::Pc)),
                "android" => Some(Protocol::Flamingo(Flavor::Android)),
                "websocket" => Some(Protocol::WebSocket),
                _ => return Err(problem("a device is any, pc, android or websocket")),
            };
            play.cast.push((name.to_owned(), protocol));
            continue;
        }
        let step = match line {
            "the server is killed and starts again" => Step::ServerKilled,
            "the server stops and starts again" => Step::ServerRestarted,
            _ => {
                let (who, rest) = actor(&play, line).ok_or_else(|| problem("who is this?"))?;
                let act = sentence(rest).ok_or_else(|| problem("no such sentence"))?;
                Step::Does(who, act)
            }
        };
        play.steps.push((number, step));
    }
    if play.steps.is_empty() {
        return Err("nothing happens in this play".to_owned());
    }
    Ok(play)
}

/// The device that acts: the longest name in the cast that the line begins with.
fn actor<'a>(play: &Play, line: &'a str) -> Option<(String, &'a str)> {
    play.cast
        .iter()
        .filter_map(|(name, _)| {
            let rest = line.strip_prefix(name.as_str())?.strip_prefix(' ')?;
            Some((name.clone(), rest))
        })
        .max_by_key(|(name, _)| name.len())
}

/// Matches a sentence against a pattern; the captured words in order.
fn capture(pattern: &str, text: &str) -> Option<Vec<String>> {
    let mut parts = pattern.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut captured = Vec::new();
    for literal in parts {
        let at = if literal.is_empty() {
            rest.len()
        } else {
            rest.find(literal)?
        };
        let word = rest[..at].trim();
        if word.is_empty() {
            return None;
        }
        captured.push(word.to_owned());
        rest = &rest[at + literal.len()..];
    }
    rest.is_empty().then_some(captured)
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(|word| word.trim().to_owned()).collect()
}

fn sentence(text: &str) -> Option<Act> {
    SENTENCES
        .iter()
        .find_map(|(pattern, act)| Some(act(&capture(pattern, text)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_play_is_read_line_by_line() {
        let play = parse(
            "# a comment\n[Ann] any\n[Bob's phone] android\n\n\
             Ann says to Bob: one: two\nBob's phone hears in The Group from Ann: a, b\n\
             the server is killed and starts again\n",
        )
        .unwrap();
        assert_eq!(
            play.cast[1],
            (
                "Bob's phone".to_owned(),
                Some(Protocol::Flamingo(Flavor::Android))
            )
        );
        let says = sends("Bob", Thing::Text("one: two".to_owned()));
        assert_eq!(play.steps[0], (5, Step::Does("Ann".to_owned(), says)));
        let hears = hears("Ann", Some("The Group"), texts("a, b"));
        assert_eq!(
            play.steps[1],
            (6, Step::Does("Bob's phone".to_owned(), hears))
        );
        assert_eq!(play.steps[2], (7, Step::ServerKilled));
    }

    #[test]
    fn an_error_names_its_line() {
        let error = |text: &str| parse(text).unwrap_err();
        assert!(error("[Ann] any\nEve connects").starts_with("line 2: who is this?"));
        assert!(error("[Ann] any\n\nAnn dances").starts_with("line 3: no such sentence"));
        assert!(error("[Ann] telegraph").starts_with("line 1: a device is"));
        assert!(error("").starts_with("nothing happens"));
    }

    #[test]
    fn a_longer_sentence_is_not_mistaken_for_a_shorter_one() {
        for (pattern, act) in SENTENCES {
            let text = pattern.replace("{}", "x");
            let words = vec!["x".to_owned(); pattern.matches("{}").count()];
            assert_eq!(sentence(&text), Some(act(&words)), "{text}");
        }
    }
}
