-- What the HTTP and WebSocket API needs: sessions, read marks, blocks, rules of groups, what was
-- changed about a message, and the words for searching.

ALTER TABLE t_user ADD COLUMN f_last_seen INTEGER NOT NULL DEFAULT 0;
CREATE INDEX i_user_username ON t_user (f_username COLLATE NOCASE);
CREATE INDEX i_user_nickname ON t_user (f_nickname COLLATE NOCASE);

-- f_role 0 is a member, 1 an admin; the owner is the group's f_owner_id. A membership keeps the
-- member's name in the group in f_user2_markname: it is what the group calls the member.
ALTER TABLE t_user_relationship ADD COLUMN f_role INTEGER NOT NULL DEFAULT 0;
ALTER TABLE t_user_relationship ADD COLUMN f_muted_until INTEGER NOT NULL DEFAULT 0;

ALTER TABLE t_friend_request ADD COLUMN f_note TEXT NOT NULL DEFAULT '';
CREATE INDEX i_friend_request_to ON t_friend_request (f_to);

-- How far the search index has read.
ALTER TABLE t_conversation ADD COLUMN f_indexed INTEGER NOT NULL DEFAULT 0;

-- f_read: the user has read up to here. f_notify: 0 all, 1 mentions only, 2 nothing. f_hidden: the
-- conversation is not listed until it has an entry behind this one; -1 for listed.
ALTER TABLE t_place ADD COLUMN f_read   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE t_place ADD COLUMN f_notify INTEGER NOT NULL DEFAULT 0;
ALTER TABLE t_place ADD COLUMN f_pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE t_place ADD COLUMN f_hidden INTEGER NOT NULL DEFAULT -1;
CREATE INDEX i_place_read ON t_place (f_conv, f_read);

ALTER TABLE t_device ADD COLUMN f_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE t_device ADD COLUMN f_name TEXT NOT NULL DEFAULT '';

-- Sign-ins of the API. A device has one at a time.
CREATE TABLE t_session (
    f_session INTEGER PRIMARY KEY,
    f_user_id INTEGER NOT NULL,
    f_device  INTEGER NOT NULL,
    f_created INTEGER NOT NULL,
    f_seen    INTEGER NOT NULL,
    f_expires INTEGER NOT NULL,
    UNIQUE (f_user_id, f_device)
) STRICT;

CREATE TABLE t_block (
    f_user_id    INTEGER NOT NULL,
    f_blocked_id INTEGER NOT NULL,
    f_time       INTEGER NOT NULL,
    PRIMARY KEY (f_user_id, f_blocked_id)
) STRICT, WITHOUT ROWID;

-- Rules of a group; one without a row has the defaults. f_join 0 open, 1 approval, 2 closed;
-- f_invite 0 members, 1 admins.
CREATE TABLE t_group (
    f_group_id     INTEGER PRIMARY KEY,
    f_announcement TEXT    NOT NULL DEFAULT '',
    f_join         INTEGER NOT NULL DEFAULT 0,
    f_invite       INTEGER NOT NULL DEFAULT 0,
    f_muted        INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE t_join_request (
    f_group_id INTEGER NOT NULL,
    f_user_id  INTEGER NOT NULL,
    f_note     TEXT    NOT NULL,
    f_time     INTEGER NOT NULL,
    PRIMARY KEY (f_group_id, f_user_id)
) STRICT, WITHOUT ROWID;

-- What was changed about a message since it was written; 0 for never. f_content is the new
-- content in the dialect of segments.
CREATE TABLE t_message_state (
    f_conv     INTEGER NOT NULL,
    f_seq      INTEGER NOT NULL,
    f_recalled INTEGER NOT NULL DEFAULT 0,
    f_edited   INTEGER NOT NULL DEFAULT 0,
    f_content  BLOB,
    PRIMARY KEY (f_conv, f_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE t_reaction (
    f_conv    INTEGER NOT NULL,
    f_seq     INTEGER NOT NULL,
    f_emoji   TEXT    NOT NULL,
    f_user_id INTEGER NOT NULL,
    f_time    INTEGER NOT NULL,
    PRIMARY KEY (f_conv, f_seq, f_emoji, f_user_id)
) STRICT, WITHOUT ROWID;

-- The words of messages, see common/src/words.rs.
CREATE TABLE t_word (
    f_conv INTEGER NOT NULL,
    f_word TEXT    NOT NULL,
    f_seq  INTEGER NOT NULL,
    f_time INTEGER NOT NULL,
    PRIMARY KEY (f_conv, f_word, f_seq)
) STRICT, WITHOUT ROWID;

-- Who was mentioned; user 0 is everybody.
CREATE TABLE t_mention (
    f_conv    INTEGER NOT NULL,
    f_user_id INTEGER NOT NULL,
    f_seq     INTEGER NOT NULL,
    PRIMARY KEY (f_conv, f_user_id, f_seq)
) STRICT, WITHOUT ROWID;

-- Which names a file has.
CREATE INDEX i_blob_name_sha256 ON t_blob_name (f_sha256);

-- Single facts about the whole: the epoch of its history, the keys that sign tokens.
CREATE TABLE t_meta (
    f_key   TEXT NOT NULL PRIMARY KEY,
    f_value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
