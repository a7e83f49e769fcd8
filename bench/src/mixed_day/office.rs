//! The people of an office, who knows whom, their groups, and what they wrote yesterday.

use std::net::SocketAddr;

use anyhow::Context;
use common::id::{GroupId, UserId};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;

use crate::group::make_group;
use crate::server::Server;
use crate::web::WebPerson;

/// Everybody has so many of the next as contacts, and so many of those before.
const FRIENDS: usize = 5;
/// Sizes of teams, and what part of the texts to teams goes to one of this size. Everybody is in
/// one of each.
pub(super) const TEAMS: [(usize, f64); 3] = [(5, 0.5), (15, 0.35), (50, 0.15)];
/// The largest group of which everybody on line hears each message (`fanout_members_max`).
const EVERYBODY: usize = 500;
/// One in so many people has an existing client.
const FLAMINGO_ONE_IN: usize = 5;
/// Messages of yesterday in each conversation of two, and in each group.
pub(super) const YESTERDAY_EACH: usize = 10;
/// What is made at a time.
const PARALLEL: usize = 16;

pub(super) struct Colleague {
    pub name: String,
    pub user: UserId,
    pub web: WebPerson,
    pub is_flamingo: bool,
    /// The numbers of those who are contacts.
    pub friends: Vec<usize>,
    /// One of each size of [`TEAMS`], then the one of everybody.
    pub teams: Vec<usize>,
}

pub(super) struct Team {
    pub group: GroupId,
    pub maker: usize,
    pub members: usize,
}

impl Colleague {
    pub(super) fn password(&self) -> String {
        // As `WebPerson` registers.
        format!("{}-password", self.name)
    }
}

/// Who works here. Nothing of it changes during the day.
pub(super) struct Office {
    pub chat: SocketAddr,
    pub file: SocketAddr,
    pub image: SocketAddr,
    pub people: Vec<Colleague>,
    pub teams: Vec<Team>,
}

impl Office {
    pub(super) async fn open(server: &Server, size: usize) -> anyhow::Result<Self> {
        let mut people: Vec<Colleague> = stream::iter(0..size)
            .map(|number| colleague(server.chat, number))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        befriend(&mut people).await?;
        let teams = make_teams(&mut people).await?;
        let office = Self {
            chat: server.chat,
            file: server.file,
            image: server.image,
            people,
            teams,
        };
        office.yesterday().await?;
        Ok(office)
    }

    /// How many others hear what is written to this team.
    pub(super) fn hearers(&self, team: usize) -> usize {
        self.teams.get(team).map_or(0, |team| team.members - 1)
    }

    async fn yesterday(&self) -> anyhow::Result<()> {
        let writing = (0..self.people.len()).map(|number| self.write_yesterday(number));
        stream::iter(writing)
            .buffer_unordered(PARALLEL)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(())
    }

    /// Somebody writes to his contacts, and to the teams that he made.
    async fn write_yesterday(&self, number: usize) -> anyhow::Result<()> {
        let person = &self.people[number];
        let friends = person.friends.iter().map(|friend| {
            let to = self.people[*friend].user;
            json!({"user": to.0.to_string()})
        });
        let teams = person.teams.iter().filter_map(|team| {
            let team = &self.teams[*team];
            (team.maker == number).then(|| json!({"group": team.group.0.to_string()}))
        });
        let mut live = person.web.live("recent").await?;
        let mut written = 0;
        for to in friends.chain(teams) {
            for _ in 0..YESTERDAY_EACH {
                let text = format!("What we said about the plan of part r{written}");
                live.say(&json!({"id": written + 2, "op": "message.send", "to": to,
                    "client_id": format!("yesterday-{written}"),
                    "segments": [{"type": "text", "text": text}]}))
                    .await?;
                written += 1;
            }
        }
        let mut answered = 0;
        while answered < written {
            let answer = live.hear().await?;
            if !answer["error"].is_null() {
                anyhow::bail!("a send was refused: {answer}");
            }
            answered += usize::from(!answer["ok"].is_null());
        }
        Ok(())
    }
}

async fn colleague(server: SocketAddr, number: usize) -> anyhow::Result<Colleague> {
    let name = format!("colleague{number}");
    let web = WebPerson::new(server, &name).await?;
    Ok(Colleague {
        user: UserId(web.user.parse()?),
        name,
        web,
        is_flamingo: number % FLAMINGO_ONE_IN == FLAMINGO_ONE_IN - 1,
        friends: Vec::new(),
        teams: Vec::new(),
    })
}

async fn befriend(people: &mut [Colleague]) -> anyhow::Result<()> {
    let count = people.len();
    let pairs =
        (0..count).flat_map(|one| (1..=FRIENDS).map(move |step| (one, (one + step) % count)));
    let asking = pairs.clone().map(|(one, other)| {
        let (one, other) = (&people[one].web, &people[other].web);
        async move { one.befriend(other).await }
    });
    stream::iter(asking)
        .buffer_unordered(PARALLEL)
        .try_collect::<Vec<()>>()
        .await?;
    for (one, other) in pairs {
        people[one].friends.push(other);
        people[other].friends.push(one);
    }
    Ok(())
}

/// Cuts the people into teams of each size, and puts everybody into one.
async fn make_teams(people: &mut [Colleague]) -> anyhow::Result<Vec<Team>> {
    let mut members: Vec<Vec<usize>> = Vec::new();
    let sizes = TEAMS.map(|(size, _)| size);
    for size in sizes.into_iter().chain([EVERYBODY]) {
        let numbers: Vec<usize> = (0..people.len()).collect();
        members.extend(numbers.chunks(size).map(<[usize]>::to_vec));
    }
    let making = members.iter().map(|members| {
        let people: Vec<&WebPerson> = members.iter().map(|number| &people[*number].web).collect();
        async move {
            let group = make_group(&people).await?;
            anyhow::Ok(Team {
                group: GroupId::from_decimal(&group.id).context("a group's number")?,
                maker: members[0],
                members: members.len(),
            })
        }
    });
    let teams: Vec<Team> = stream::iter(making)
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    for (team, members) in members.iter().enumerate() {
        for number in members {
            people[*number].teams.push(team);
        }
    }
    Ok(teams)
}
