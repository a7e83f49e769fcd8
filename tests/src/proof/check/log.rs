//! What is stored, against what was sent and acknowledged: I1, I2, I3, I4, I5, I7, I10, I11.

use std::collections::BTreeMap;

use super::Violation;
use super::known::Known;
use crate::proof::history::Event;

pub(super) fn judge(known: &Known<'_>, found: &mut Vec<Violation>) {
    numbers(known, found);
    senders(known, found);
    order(known, found);
    answers(known, found);
    files(known, found);
}

/// I4: from 1 to n, each once.
fn numbers(known: &Known<'_>, found: &mut Vec<Violation>) {
    for ((conversation, seq), entry) in &known.doubled {
        found.push(Violation {
            invariant: "I4",
            place: (*conversation).to_owned(),
            seq: Some(*seq),
            who: entry.sender.to_owned(),
            what: "two entries have this number".to_owned(),
        });
    }
    for (conversation, log) in &known.log {
        let mut wanted = 1;
        for (seq, entry) in log {
            if *seq != wanted {
                found.push(Violation {
                    invariant: "I4",
                    place: (*conversation).to_owned(),
                    seq: Some(*seq),
                    who: entry.sender.to_owned(),
                    what: format!("stands where {wanted} should: numbers are missing before it"),
                });
            }
            wanted = seq + 1;
        }
    }
}

/// I2, I3, I11: each message was sent by its sender, who is a member, and stands once.
fn senders(known: &Known<'_>, found: &mut Vec<Violation>) {
    let mut ids = BTreeMap::new();
    for (&conversation, log) in &known.log {
        for (seq, entry) in log {
            let mut wrong = |invariant, what| {
                found.push(Violation {
                    invariant,
                    place: conversation.to_owned(),
                    seq: Some(*seq),
                    who: entry.sender.to_owned(),
                    what,
                });
            };
            let before = ids.insert((entry.sender, entry.client_id), (conversation, *seq));
            if let Some((other, at)) = before {
                let what = format!(
                    "the client id {} stands at {other}:{at} too",
                    entry.client_id
                );
                wrong("I3", what);
            }
            let Some(content) = entry.content else {
                continue;
            };
            let sent = known.sent.get(&(conversation, entry.sender, content));
            let sent = sent.map_or(&[][..], Vec::as_slice);
            let fits = |id: Option<&str>| id.is_none_or(|id| id == entry.client_id);
            if !sent.iter().any(|one| fits(one.client_id)) {
                let what = "the user never sent this content with this client id".to_owned();
                wrong("I2", what);
            }
            let places = &known.places[&(conversation, entry.sender, content)];
            if places.len() > sent.len().max(1) && places.first() != Some(seq) {
                let what = format!(
                    "was sent {} times and is stored {} times",
                    sent.len(),
                    places.len()
                );
                wrong("I3", what);
            }
            if !known.may_read(conversation, entry.sender, *seq) {
                let what = "was written by somebody who is no member here".to_owned();
                wrong("I11", what);
            }
        }
    }
}

/// I5: what one device sent stands in the order in which it first sent it. Where its user was taken
/// out and came back it need not: what was refused meanwhile may be sent again later.
fn order(known: &Known<'_>, found: &mut Vec<Violation>) {
    for ((device, conversation), contents) in &known.order {
        let user = known.user(device);
        if known.was_taken_out(conversation, user) {
            continue;
        }
        let mut last = 0;
        for content in contents {
            let Some(seq) = known.place_of(conversation, user, content) else {
                continue;
            };
            if seq < last {
                found.push(Violation {
                    invariant: "I5",
                    place: (*conversation).to_owned(),
                    seq: Some(seq),
                    who: (*device).to_owned(),
                    what: format!("was sent after what stands at {last}"),
                });
            }
            last = last.max(seq);
        }
    }
}

/// Where each client id of a user was first acknowledged.
type Told<'h> = BTreeMap<(&'h str, &'h str), (&'h str, u64)>;

/// I1, I3, I7: what senders were told is so.
fn answers(known: &Known<'_>, found: &mut Vec<Violation>) {
    let mut told = Told::new();
    for event in known.history {
        match event {
            Event::Acknowledged { .. } => promise(known, event, &mut told, found),
            Event::Refused {
                device,
                conversation,
                client_id,
                code,
            } => {
                let user = known.user(device);
                let log = known.log.get(conversation.as_str());
                let stored = log.into_iter().flatten().find(|(_, entry)| {
                    (entry.sender, entry.client_id) == (user, client_id.as_str())
                });
                if let Some((seq, _)) = stored {
                    found.push(Violation {
                        invariant: "I7",
                        place: conversation.clone(),
                        seq: Some(*seq),
                        who: device.clone(),
                        what: format!("{client_id} was refused ({code}), and is stored"),
                    });
                }
            }
            _ => {}
        }
    }
}

/// One acknowledgment.
fn promise<'h>(
    known: &Known<'h>,
    event: &'h Event,
    told: &mut Told<'h>,
    found: &mut Vec<Violation>,
) {
    let Event::Acknowledged {
        device,
        conversation,
        client_id,
        content,
        seq,
    } = event
    else {
        return;
    };
    let user = known.user(device);
    let mut wrong = |invariant, seq, what| {
        found.push(Violation {
            invariant,
            place: conversation.clone(),
            seq,
            who: device.clone(),
            what,
        });
    };
    let stands = known.place_of(conversation, user, content);
    let Some(seq) = *seq else {
        if stands.is_none() {
            let what = format!("was told that {content} is stored, and it is not");
            wrong("I1", None, what);
        }
        return;
    };
    let id = client_id.as_deref().unwrap_or_default();
    let here = (conversation.as_str(), seq);
    let first = *told.entry((user, id)).or_insert(here);
    if first != here {
        let what = format!(
            "{id} is acknowledged here, and was at {}:{}",
            first.0, first.1
        );
        wrong("I3", Some(seq), what);
    }
    let there = known.at(conversation, seq);
    let is_it = there.is_some_and(|entry| {
        (entry.sender, entry.client_id, entry.content) == (user, id, Some(content.as_str()))
    });
    if is_it {
        return;
    }
    let became = match (there, stands) {
        (None, None) => "it is lost".to_owned(),
        (Some(_), None) => "it is lost, and something else stands here".to_owned(),
        (_, Some(at)) => format!("it stands at {at}"),
    };
    let what = format!("was told that {id} is stored here; {became}");
    wrong("I1", Some(seq), what);
    if there.is_some() {
        let what = format!("this number was given to {id} before");
        wrong("I4", Some(seq), what);
    }
}

/// I10: files that were acknowledged are there, and every file is what its name says.
fn files(known: &Known<'_>, found: &mut Vec<Violation>) {
    let mut wrong = |file: &str, what| {
        found.push(Violation {
            invariant: "I10",
            place: file.to_owned(),
            seq: None,
            who: String::new(),
            what,
        });
    };
    for (file, (bytes, sha256)) in &known.kept {
        if file != sha256 {
            wrong(file, format!("its {bytes} bytes are something else"));
        }
    }
    for event in known.history {
        let Event::Uploaded { file, bytes } = event else {
            continue;
        };
        match known.kept.get(file.as_str()) {
            None => wrong(file, "was acknowledged, and is not there".to_owned()),
            Some((kept, _)) if kept != bytes => {
                wrong(
                    file,
                    format!("{bytes} bytes were acknowledged, {kept} are there"),
                );
            }
            Some(_) => {}
        }
    }
}
