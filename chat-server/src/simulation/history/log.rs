//! A conversation as the database has it in the end: who wrote what, and who was a member when.

use std::time::Duration;

use common::api::{Body, Dialect, Entry, Notice, SegmentedContent};
use common::id::{ConvId, ConvKind, UserId};
use common::wire::translate;

use crate::simulation::world::EPOCH_MS;

/// A request carries the time at which it came, and is decided upon when it is committed: so much
/// later at most, with a database that is slow and refuses.
const DECIDED_WITHIN: Duration = Duration::from_secs(15);

/// See the module's description.
#[derive(Debug)]
pub(in crate::simulation) struct Log {
    pub(in crate::simulation) conv: ConvId,
    /// Up to where it was not everybody's yet.
    before: u64,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    seq: u64,
    at: Duration,
    author: UserId,
    says: Says,
}

#[derive(Debug)]
enum Says {
    Message(String),
    Comes(UserId),
    Goes(UserId),
    Else,
}

/// Entries that a member may read, the first and the last; each may be the end of all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    from: u64,
    to: u64,
}

impl Line {
    fn new(entry: &Entry) -> Self {
        let author = entry.origin.user;
        let says = match &entry.body {
            Body::Message { dialect, content } => Says::Message(text(*dialect, content)),
            Body::Notice(Notice::GroupCreated { .. } | Notice::MemberJoined) => Says::Comes(author),
            Body::Notice(Notice::MemberAdded { user }) => Says::Comes(*user),
            Body::Notice(Notice::MemberLeft) => Says::Goes(author),
            Body::Notice(Notice::MemberRemoved { user }) => Says::Goes(*user),
            Body::Notice(_) => Says::Else,
        };
        let at = u64::try_from(entry.origin.at.0 - EPOCH_MS).unwrap_or(0);
        Self {
            seq: entry.seq.0,
            at: Duration::from_millis(at),
            author,
            says,
        }
    }
}

/// The words of a message, which are its name.
fn text(dialect: Dialect, content: &[u8]) -> String {
    let segments = match dialect {
        Dialect::Flamingo => translate::to_segments(content, &|_| None),
        Dialect::Segments => serde_json::from_slice::<SegmentedContent>(content)
            .map(|content| content.segments)
            .unwrap_or_default(),
    };
    translate::excerpt(&segments)
}

impl Log {
    pub(in crate::simulation) fn new(conv: ConvId, before: u64) -> Self {
        Self {
            conv,
            before,
            lines: Vec::new(),
        }
    }

    /// What stands behind what it has.
    pub(in crate::simulation) fn extend(&mut self, entries: &[Entry]) {
        self.lines.extend(entries.iter().map(Line::new));
    }

    /// The number of the last entry.
    pub(in crate::simulation) fn last(&self) -> u64 {
        self.lines.last().map_or(0, |last| last.seq)
    }

    pub(super) fn check(&self, found: &mut Vec<String>) {
        let conv = self.conv.0;
        for (line, wanted) in self.lines.iter().zip(1..) {
            if line.seq != wanted {
                found.push(format!(
                    "{conv}: {} stands where {wanted} belongs",
                    line.seq
                ));
                break;
            }
        }
        for line in &self.lines {
            if let Says::Message(name) = &line.says
                && self.stretch(line.author, line.seq).is_none()
            {
                found.push(format!("{name} is stored, and its author was no member"));
            }
        }
    }

    /// The names of the messages, and who wrote them.
    pub(super) fn messages(&self) -> impl Iterator<Item = (&str, UserId)> {
        self.lines.iter().filter_map(|line| match &line.says {
            Says::Message(name) => Some((name.as_str(), line.author)),
            _ => None,
        })
    }

    /// The names of the messages, and where they stand.
    pub(super) fn places(&self) -> impl Iterator<Item = (&str, u64)> {
        self.lines.iter().filter_map(|line| match &line.says {
            Says::Message(name) => Some((name.as_str(), line.seq)),
            _ => None,
        })
    }

    /// The name of the message at this place; `None` within if no message stands there.
    pub(super) fn name_at(&self, seq: u64) -> Option<Option<&str>> {
        let line = self.lines.iter().find(|line| line.seq == seq)?;
        Some(match &line.says {
            Says::Message(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// What this user may read. Whoever comes sees that he does, and not that he goes.
    pub(super) fn stretches(&self, user: UserId) -> Vec<Stretch> {
        let all = Stretch {
            from: 1,
            to: u64::MAX,
        };
        if !matches!(self.conv.kind(), Some(ConvKind::Group(_))) {
            return self
                .conv
                .may_concern(user)
                .then_some(all)
                .into_iter()
                .collect();
        }
        let mut stretches: Vec<Stretch> = Vec::new();
        for line in &self.lines {
            match line.says {
                Says::Comes(who) if who == user => stretches.push(Stretch {
                    from: line.seq,
                    ..all
                }),
                Says::Goes(who) if who == user => {
                    if let Some(last) = stretches.last_mut() {
                        last.to = line.seq - 1;
                    }
                }
                _ => {}
            }
        }
        stretches
    }

    /// The stretch with this entry; `None` if it is not for this user.
    pub(super) fn stretch(&self, user: UserId, seq: u64) -> Option<Stretch> {
        let mut stretches = self.stretches(user).into_iter();
        stretches.find(|stretch| (stretch.from..=stretch.to).contains(&seq))
    }

    /// Whether this user was no member, as far as anybody can tell, at some moment of this time.
    pub(super) fn was_out(&self, user: UserId, (from, until): (Duration, Duration)) -> bool {
        let mut went: Option<Duration> = None;
        for line in &self.lines {
            match line.says {
                Says::Goes(who) if who == user => went = Some(line.at),
                Says::Comes(who) if who == user => {
                    if went.is_some_and(|went| went <= until && from <= line.at + DECIDED_WITHIN) {
                        return true;
                    }
                    went = None;
                }
                _ => {}
            }
        }
        went.is_some_and(|went| went <= until)
    }

    /// What others wrote behind `after` and before `until` in this stretch, and whether it is a
    /// message.
    pub(super) fn of_others(
        &self,
        user: UserId,
        stretch: Stretch,
        (after, until): (u64, u64),
    ) -> impl DoubleEndedIterator<Item = (u64, Option<&str>)> {
        let from = stretch.from.max(after + 1).max(self.before + 1);
        let lines = self.lines.iter();
        let between = lines.filter(move |line| {
            (from..until).contains(&line.seq) && line.seq <= stretch.to && line.author != user
        });
        between.map(|line| match &line.says {
            Says::Message(name) => (line.seq, Some(name.as_str())),
            _ => (line.seq, None),
        })
    }

    /// What this user has to have heard of others in the end, if he is a member then.
    pub(in crate::simulation) fn owed(
        &self,
        user: UserId,
    ) -> impl DoubleEndedIterator<Item = (u64, Option<&str>)> {
        let stretches = self.stretches(user).into_iter();
        let now = stretches.last().filter(|last| last.to == u64::MAX);
        let nothing = Stretch { from: 1, to: 0 };
        self.of_others(user, now.unwrap_or(nothing), (0, u64::MAX))
    }
}
