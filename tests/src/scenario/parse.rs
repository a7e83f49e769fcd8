//! From the text of a screenplay to steps.
//!
//! Knows the sentences and nothing of how they are played.

use crate::wire::Flavor;

/// A play ready to be performed.
#[derive(Debug, PartialEq)]
pub struct Play {
    /// Device names; no flavor means any.
    pub cast: Vec<(String, Option<Flavor>)>,
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
#[derive(Debug, PartialEq)]
pub enum Act {
    Connects,
    Disconnects,
    IsKicked,
    Befriends(String),
    Asks(String),
    IsAskedBy(String),
    Accepts(String),
    Refuses(String),
    IsAcceptedBy(String),
    IsRefusedBy(String),
    Unfriends(String),
    IsUnfriendedBy(String),
    Says {
        to: String,
        text: String,
    },
    Tells {
        to: Vec<String>,
        text: String,
    },
    Hears {
        from: String,
        texts: Vec<String>,
    },
    HearsIn {
        group: String,
        from: String,
        texts: Vec<String>,
    },
    HearsNothing,
    Creates(String),
    Joins(String),
    Leaves(String),
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
    SendsPicture {
        picture: String,
        to: String,
    },
    GetsPicture {
        picture: String,
        from: String,
    },
    SeesOnline(String),
    SeesOffline(String),
}

/// The sentences. A word in braces is captured; a longer sentence stands before a shorter one
/// that begins alike.
const SENTENCES: [&str; 31] = [
    "connects",
    "disconnects",
    "is kicked",
    "befriends {}",
    "asks {} to be friends",
    "is asked by {}",
    "accepts {}",
    "refuses {}",
    "is accepted by {}",
    "is refused by {}",
    "unfriends {}",
    "is unfriended by {}",
    "says to {}: {}",
    "tells {}: {}",
    "hears in {} from {}: {}",
    "hears from {}: {}",
    "hears nothing",
    "creates group {}",
    "joins {}",
    "leaves {}",
    "adds team {}",
    "puts {} into {}",
    "calls {}: {}",
    "has no contacts",
    "has contacts: {}",
    "has {} in {}",
    "knows {} as {}",
    "sends picture {} to {}",
    "gets picture {} from {}",
    "sees {} online",
    "sees {} offline",
];

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
            let flavor = match kind.trim() {
                "any" => None,
                "pc" => Some(Flavor::Pc),
                "android" => Some(Flavor::Android),
                _ => return Err(problem("a device is any, pc or android")),
            };
            play.cast.push((name.to_owned(), flavor));
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
    let (pattern, words) = SENTENCES
        .iter()
        .find_map(|pattern| Some((*pattern, capture(pattern, text)?)))?;
    let mut words = words.into_iter();
    let mut word = || words.next().unwrap_or_default();
    Some(match pattern {
        "connects" => Act::Connects,
        "disconnects" => Act::Disconnects,
        "is kicked" => Act::IsKicked,
        "befriends {}" => Act::Befriends(word()),
        "asks {} to be friends" => Act::Asks(word()),
        "is asked by {}" => Act::IsAskedBy(word()),
        "accepts {}" => Act::Accepts(word()),
        "refuses {}" => Act::Refuses(word()),
        "is accepted by {}" => Act::IsAcceptedBy(word()),
        "is refused by {}" => Act::IsRefusedBy(word()),
        "unfriends {}" => Act::Unfriends(word()),
        "is unfriended by {}" => Act::IsUnfriendedBy(word()),
        "hears nothing" => Act::HearsNothing,
        "creates group {}" => Act::Creates(word()),
        "joins {}" => Act::Joins(word()),
        "leaves {}" => Act::Leaves(word()),
        "adds team {}" => Act::AddsTeam(word()),
        "has no contacts" => Act::HasContacts(Vec::new()),
        "has contacts: {}" => Act::HasContacts(list(&word())),
        "sees {} online" => Act::SeesOnline(word()),
        "sees {} offline" => Act::SeesOffline(word()),
        other => return of_two_or_three(other, &mut word),
    })
}

fn of_two_or_three(pattern: &str, word: &mut impl FnMut() -> String) -> Option<Act> {
    let (first, second) = (word(), word());
    Some(match pattern {
        "says to {}: {}" => Act::Says {
            to: first,
            text: second,
        },
        "tells {}: {}" => Act::Tells {
            to: list(&first),
            text: second,
        },
        "hears from {}: {}" => Act::Hears {
            from: first,
            texts: list(&second),
        },
        "hears in {} from {}: {}" => Act::HearsIn {
            group: first,
            from: second,
            texts: list(&word()),
        },
        "puts {} into {}" => Act::Puts {
            who: first,
            team: second,
        },
        "calls {}: {}" => Act::Calls {
            who: first,
            name: second,
        },
        "has {} in {}" => Act::HasInTeam {
            who: first,
            team: second,
        },
        "knows {} as {}" => Act::Knows {
            who: first,
            name: second,
        },
        "sends picture {} to {}" => Act::SendsPicture {
            picture: first,
            to: second,
        },
        "gets picture {} from {}" => Act::GetsPicture {
            picture: first,
            from: second,
        },
        _ => return None,
    })
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
            ("Bob's phone".to_owned(), Some(Flavor::Android))
        );
        let says = Act::Says {
            to: "Bob".to_owned(),
            text: "one: two".to_owned(),
        };
        assert_eq!(play.steps[0], (5, Step::Does("Ann".to_owned(), says)));
        let hears = Act::HearsIn {
            group: "The Group".to_owned(),
            from: "Ann".to_owned(),
            texts: vec!["a".to_owned(), "b".to_owned()],
        };
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
    fn every_sentence_means_something() {
        for pattern in SENTENCES {
            let text = pattern.replace("{}", "x");
            assert!(sentence(&text).is_some(), "{text}");
        }
    }
}
