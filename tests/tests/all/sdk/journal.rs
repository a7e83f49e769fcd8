//! What somebody reported, life by life, compared with what the server's histories say.

use std::collections::{BTreeMap, BTreeSet};

use myim_tests::api_person::{said, seq, text};
use myim_tests::sdk_person::{Manner, Part, Report};
use serde_json::Value;

use super::run::Seen;

/// What was reported from a start to a kill.
#[derive(Debug)]
pub(super) struct Life(pub Vec<Report>);

/// Everything that one person reported.
pub(super) struct Journal<'a> {
    part: &'a Part,
    user: &'a str,
    lives: &'a [Life],
}

/// A place in a conversation.
type Place = (u64, u64);

impl<'a> Journal<'a> {
    pub(super) fn new(part: &'a Part, user: &'a str, lives: &'a [Life]) -> Self {
        Self { part, user, lives }
    }

    /// Up to where this user has to be told, for each conversation of his.
    pub(super) fn wanted(
        histories: &[(String, Vec<Value>)],
        user: &str,
        own: &[String],
    ) -> BTreeMap<u64, u64> {
        let of_others = histories.iter().filter(|(id, _)| own.contains(id));
        of_others
            .filter_map(|(id, messages)| {
                let last = messages
                    .iter()
                    .rfind(|message| is_of_another(message, user))?;
                Some((id.parse().expect("a number"), seq(last)))
            })
            .collect()
    }

    /// Whether everything up to these places is confirmed.
    pub(super) fn confirms(now: &[Report], before: &[Life], wanted: &BTreeMap<u64, u64>) -> bool {
        let before = before.iter().flat_map(|life| &life.0);
        let mut confirmed = BTreeMap::<u64, u64>::new();
        for report in before.chain(now) {
            if let Report::Confirmed { conversation, seq } = report {
                let place = confirmed.entry(*conversation).or_default();
                *place = (*place).max(*seq);
            }
        }
        let mut wanted = wanted.iter();
        wanted.all(|(conversation, seq)| confirmed.get(conversation).is_some_and(|at| at >= seq))
    }

    pub(super) fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        let mut got = BTreeSet::new();
        for report in self.lives.iter().flat_map(|life| &life.0) {
            match report {
                Report::Accepted { .. } => seen.accepted += 1,
                Report::Failed { .. } => seen.failed += 1,
                Report::Got {
                    conversation, seq, ..
                } => {
                    seen.delivered += 1;
                    if !got.insert((*conversation, *seq)) {
                        seen.again += 1;
                    }
                }
                _ => {}
            }
        }
        seen
    }

    /// # Errors
    /// The promise that was broken.
    pub(super) fn agrees_with(&self, histories: &[(String, Vec<Value>)]) -> Result<(), String> {
        self.nothing_ended()?;
        self.everything_accepted_is_stored_once_or_failed(histories)?;
        self.stored_in_the_order_accepted(histories)?;
        self.told_where_it_is_stored(histories)?;
        self.handed_out_once(histories)
    }

    fn nothing_ended(&self) -> Result<(), String> {
        for report in self.lives.iter().flat_map(|life| &life.0) {
            match report {
                Report::Resync => return Err("the history never changed".to_owned()),
                Report::Ended(why) if why != "Closed" => return Err(format!("it ended: {why}")),
                _ => {}
            }
        }
        Ok(())
    }

    /// What this user wrote: its number, in the order of each history.
    fn stored<'h>(
        &self,
        histories: &'h [(String, Vec<Value>)],
    ) -> Result<Vec<(u64, &'h Value)>, String> {
        let all = histories.iter().flat_map(|(_, messages)| messages);
        let own = all.filter(|message| is_message(message) && message["sender"] == *self.user);
        own.map(|message| {
            let said = said(message);
            let number = said.strip_prefix(&format!("{} ", self.part.name));
            let number = number.and_then(|number| number.parse().ok());
            Ok((
                number.ok_or_else(|| format!("nobody wrote {said:.80}"))?,
                message,
            ))
        })
        .collect()
    }

    fn everything_accepted_is_stored_once_or_failed(
        &self,
        histories: &[(String, Vec<Value>)],
    ) -> Result<(), String> {
        let mut stored = BTreeMap::<u64, Vec<&Value>>::new();
        for (number, message) in self.stored(histories)? {
            stored.entry(number).or_default().push(message);
        }
        let mut failed = BTreeMap::<&str, &str>::new();
        let (mut begun, mut accepted) = (BTreeSet::new(), BTreeMap::new());
        for report in self.lives.iter().flat_map(|life| &life.0) {
            match report {
                Report::Sending { number } => drop(begun.insert(*number)),
                Report::Accepted { number, client_id } => {
                    accepted.insert(*number, client_id.as_str());
                }
                Report::Failed { client_id, code } => drop(failed.insert(client_id, code)),
                Report::Drained { failed: left } => {
                    for client_id in left {
                        failed.entry(client_id).or_insert("in the outbox");
                    }
                }
                _ => {}
            }
        }
        for (number, places) in &stored {
            if !begun.contains(number) {
                return Err(format!("{number} was never sent"));
            }
            if places.len() > 1 {
                return Err(format!(
                    "{number} is stored {} times: {places:?}",
                    places.len()
                ));
            }
        }
        for (number, client_id) in accepted {
            let place = stored.get(&number).map(|places| places[0]);
            match (place, failed.get(client_id)) {
                (Some(message), None) if message["client_id"] == *client_id => {}
                (None, Some(code)) => self.may_fail(number, code)?,
                (place, failed) => {
                    return Err(format!(
                        "{number} ({client_id}) was accepted; it is stored at {place:?}, \
                         its failure {failed:?}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether there is a reason for a message to fail in this way.
    fn may_fail(&self, number: u64, code: &str) -> Result<(), String> {
        let fine = match self.part.message(number).1 {
            Manner::Plain => false,
            Manner::TooLong => ["message_too_large", "in the outbox"].contains(&code),
            Manner::ToStranger => ["not_friends", "in the outbox"].contains(&code),
            Manner::Hasty(_) => ["expired", "in the outbox"].contains(&code),
        };
        let why = || format!("{number} must not fail with {code}");
        fine.then_some(()).ok_or_else(why)
    }

    fn stored_in_the_order_accepted(
        &self,
        histories: &[(String, Vec<Value>)],
    ) -> Result<(), String> {
        // One target is one conversation, but a conversation may be two targets of two people.
        for (id, messages) in histories {
            let one = [(id.clone(), messages.clone())];
            let numbers: Vec<_> = self.stored(&one)?.into_iter().map(|(at, _)| at).collect();
            if !numbers.is_sorted() {
                return Err(format!("not in the order accepted in {id}: {numbers:?}"));
            }
        }
        Ok(())
    }

    /// What the SDK said of where a message is stored is true, and it did not say two things.
    fn told_where_it_is_stored(&self, histories: &[(String, Vec<Value>)]) -> Result<(), String> {
        let stored = self.stored(histories)?;
        let place = |client_id: &str| {
            let mut found = stored
                .iter()
                .filter(|(_, one)| one["client_id"] == *client_id);
            found.next().map(|(_, message)| {
                let conversation = text(&message["conversation"]).parse().expect("a number");
                (conversation, seq(message))
            })
        };
        for report in self.lives.iter().flat_map(|life| &life.0) {
            if let Report::Sent {
                client_id,
                conversation,
                seq,
            } = report
                && place(client_id) != Some((*conversation, *seq))
            {
                let place = place(client_id);
                return Err(format!(
                    "{client_id} is stored at {place:?}, but it said {report:?}"
                ));
            }
        }
        Ok(())
    }

    /// Each entry of others came, in order, and none came again after it was confirmed.
    fn handed_out_once(&self, histories: &[(String, Vec<Value>)]) -> Result<(), String> {
        let mut confirmed = BTreeMap::<u64, u64>::new();
        // Whoever was killed while he confirmed does not know whether he has: it may come again.
        let mut perhaps = BTreeMap::<u64, u64>::new();
        for (number, life) in self.lives.iter().enumerate() {
            let mut got = BTreeMap::<Place, Option<&str>>::new();
            let mut last = BTreeMap::<u64, u64>::new();
            for report in &life.0 {
                let checked = match report {
                    Report::Got {
                        conversation,
                        seq,
                        text,
                    } => {
                        got.insert((*conversation, *seq), text.as_deref());
                        let before = last.insert(*conversation, *seq).unwrap_or(0);
                        let at = confirmed.get(conversation).copied().unwrap_or(0);
                        comes_in_turn((*conversation, *seq), before, at)
                    }
                    Report::Confirming { conversation, seq } => {
                        let from = perhaps.entry(*conversation).or_default();
                        let range = (*from, *seq);
                        *from = (*from).max(*seq);
                        self.had_all(histories, &got, *conversation, range)
                    }
                    Report::Confirmed { conversation, seq } => {
                        let at = confirmed.entry(*conversation).or_default();
                        *at = (*at).max(*seq);
                        Ok(())
                    }
                    _ => Ok(()),
                };
                checked.map_err(|why| format!("life {number}: {why}"))?;
            }
        }
        Ok(())
    }

    /// Every message of others behind `from` up to `until` was handed out in this life.
    fn had_all(
        &self,
        histories: &[(String, Vec<Value>)],
        got: &BTreeMap<Place, Option<&str>>,
        conversation: u64,
        (from, until): (u64, u64),
    ) -> Result<(), String> {
        let id = conversation.to_string();
        let history = histories.iter().find(|(one, _)| *one == id);
        let messages = history.into_iter().flat_map(|(_, messages)| messages);
        let range = from + 1..=until;
        for message in messages.filter(|message| range.contains(&seq(message))) {
            if !is_of_another(message, self.user) {
                continue;
            }
            let place = (conversation, seq(message));
            let said = said(message);
            match got.get(&place) {
                Some(text) if *text == Some(said.as_str()) => {}
                other => {
                    return Err(format!(
                        "{place:?} says {said:.80}, and {other:?} was handed out before {until} was confirmed"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// `before` is what came last in this life, `confirmed` what was ever confirmed.
fn comes_in_turn(place: Place, before: u64, confirmed: u64) -> Result<(), String> {
    let (conversation, seq) = place;
    if seq <= confirmed {
        return Err(format!(
            "{seq} in {conversation} came again, and {confirmed} was confirmed"
        ));
    }
    if seq <= before {
        return Err(format!("{seq} in {conversation} came after {before}"));
    }
    Ok(())
}

fn is_message(message: &Value) -> bool {
    message["notice"].is_null()
}

fn is_of_another(message: &Value, user: &str) -> bool {
    is_message(message) && message["sender"] != *user
}
