//! What people in an office do, and how often.
//!
//! The figures are chosen, not measured: what somebody does in an hour who is at it, so that
//! everybody together receives as many messages as was counted in real offices (the test below).

use super::office::TEAMS;

/// One in so many people who are on line is active.
pub(super) const ACTIVE_ONE_IN: usize = 4;

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Deed {
    /// Comes in the morning, with a token.
    Arrive,
    /// The same with an existing client, which knows nothing but a password.
    ArriveWithPassword,
    TextToOne,
    TextToTeam,
    TextToAll,
    File,
    Picture,
    Read,
    Presence,
    OpenHistory,
    ListConversations,
    Search,
    /// The connection broke, or a notebook was opened again.
    ComeBack,
    ComeBackWithPassword,
}

/// How often an hour, of somebody active. Three of four messages go to one person, and of
/// 500 messages one goes to everybody, who hear it all.
pub(super) const AN_HOUR: [(Deed, f64); 11] = [
    (Deed::TextToOne, 11.0),
    (Deed::TextToTeam, 3.4),
    (Deed::TextToAll, 0.03),
    // One message in 25 has something with it.
    (Deed::File, 0.3),
    (Deed::Picture, 0.3),
    // Who looks at a conversation has read all that came to it since.
    (Deed::Read, 10.0),
    // Away for coffee, for a meeting, and back.
    (Deed::Presence, 2.0),
    // A conversation is opened that the client does not keep, or scrolled back.
    (Deed::OpenHistory, 6.0),
    (Deed::ListConversations, 2.0),
    (Deed::Search, 0.5),
    (Deed::ComeBack, 0.5),
];

impl Deed {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Arrive => "comes in the morning",
            Self::ArriveWithPassword => "comes with an existing client",
            Self::TextToOne => "text to one",
            Self::TextToTeam => "text to a group of 5 to 50",
            Self::TextToAll => "text to the group of 500",
            Self::File => "file",
            Self::Picture => "picture",
            Self::Read => "read mark",
            Self::Presence => "away or back",
            Self::OpenHistory => "a page of history",
            Self::ListConversations => "list of conversations",
            Self::Search => "search",
            Self::ComeBack => "comes back",
            Self::ComeBackWithPassword => "back with an existing client",
        }
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::TextToOne | Self::TextToTeam | Self::TextToAll)
    }

    /// Whether it goes over HTTP, and not over the open connection.
    pub(super) fn is_call(self) -> bool {
        matches!(
            self,
            Self::File | Self::Picture | Self::OpenHistory | Self::ListConversations | Self::Search
        )
    }

    /// The same as it is done with an existing client; `None` for what the load generator does
    /// only with new ones.
    pub(super) fn with_flamingo(self) -> Option<Self> {
        match self {
            Self::Arrive | Self::ArriveWithPassword => Some(Self::ArriveWithPassword),
            Self::ComeBack | Self::ComeBackWithPassword => Some(Self::ComeBackWithPassword),
            text if text.is_text() => Some(text),
            _ => None,
        }
    }
}

/// How often an hour somebody active does anything.
pub(super) fn deeds_an_hour() -> f64 {
    AN_HOUR.iter().map(|(_, times)| times).sum()
}

/// One of them, as often as it happens; `share` is from 0 up to 1.
pub(super) fn deed_at(share: f64) -> Deed {
    let mut left = share * deeds_an_hour();
    for (deed, times) in AN_HOUR {
        left -= times;
        if left < 0.0 {
            return deed;
        }
    }
    Deed::TextToOne
}

/// Which of somebody's teams is written to: small ones more often. `share` is from 0 up to 1.
pub(super) fn team_at(share: f64) -> usize {
    let mut left = share;
    for (team, (_, part)) in TEAMS.iter().enumerate() {
        left -= part;
        if left < 0.0 {
            return team;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spread::count_as_f64;

    #[test]
    fn everybody_receives_as_much_as_was_counted_in_real_offices() {
        // Microsoft, Work Trend Index Special Report of June 2025: 153 chat messages a weekday.
        let counted = 153.0;
        let hours = 8.0;
        let others = |members: usize| count_as_f64(u64::try_from(members).unwrap() - 1);
        let in_team: f64 = TEAMS
            .iter()
            .map(|(members, part)| part * others(*members))
            .sum();
        let received: f64 = AN_HOUR
            .iter()
            .map(|(deed, times)| match deed {
                Deed::TextToOne => *times,
                // Half of them go to one person.
                Deed::File | Deed::Picture => times * f64::midpoint(1.0, in_team),
                Deed::TextToTeam => times * in_team,
                Deed::TextToAll => times * others(500),
                _ => 0.0,
            })
            .sum();
        let active = 1.0 / count_as_f64(u64::try_from(ACTIVE_ONE_IN).unwrap());
        let a_day = received * active * hours;
        assert!((a_day - counted).abs() < counted / 10.0, "{a_day}");
    }

    #[test]
    fn every_deed_comes_as_often_as_it_should() {
        let times: u32 = 100_000;
        for (deed, an_hour) in AN_HOUR {
            let hits = (0..times)
                .filter(|at| deed_at(f64::from(*at) / f64::from(times)) == deed)
                .count();
            let expected = an_hour / deeds_an_hour() * f64::from(times);
            let hits = count_as_f64(u64::try_from(hits).unwrap());
            assert!((hits - expected).abs() < 2.0, "{deed:?}: {hits}");
        }
    }
}
