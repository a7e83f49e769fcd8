-- The tables of myim on SQLite. Names and columns are those of the original Flamingo server where
-- it had them, so that a reader who knows one database finds his way in the other.
-- This file was applied to databases in use: it is never edited, changes get a file of their own.

-- Users and groups share one table and one number space, see common/src/id.rs.
CREATE TABLE t_user (
    f_user_id       INTEGER PRIMARY KEY,
    f_username      TEXT    NOT NULL,
    f_nickname      TEXT    NOT NULL,
    f_password      TEXT    NOT NULL DEFAULT '',
    f_password_hash TEXT    NOT NULL DEFAULT '',
    f_facetype      INTEGER NOT NULL DEFAULT 0,
    f_customface    TEXT    NOT NULL DEFAULT '',
    f_customfacefmt TEXT    NOT NULL DEFAULT '',
    f_gender        INTEGER NOT NULL DEFAULT 0,
    f_birthday      INTEGER NOT NULL DEFAULT 19900101,
    f_signature     TEXT    NOT NULL DEFAULT '',
    f_address       TEXT    NOT NULL DEFAULT '',
    f_phonenumber   TEXT    NOT NULL DEFAULT '',
    f_mail          TEXT    NOT NULL DEFAULT '',
    f_register_time TEXT,
    f_owner_id      INTEGER NOT NULL DEFAULT 0,
    f_remark        TEXT,
    f_update_time   TEXT    DEFAULT CURRENT_TIMESTAMP,
    f_teaminfo      TEXT
) STRICT;

-- Who has a name. Apart from t_user, because original databases may hold a name twice.
CREATE TABLE t_username (
    f_username TEXT    NOT NULL PRIMARY KEY,
    f_user_id  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A friendship, or a membership. The smaller id comes first; a group's is always the larger.
-- f_id gives the order in which people became contacts.
CREATE TABLE t_user_relationship (
    f_id             INTEGER PRIMARY KEY,
    f_user_id1       INTEGER NOT NULL,
    f_user_id2       INTEGER NOT NULL,
    f_user1_teamname TEXT    NOT NULL DEFAULT 'My Friends',
    f_user1_markname TEXT    NOT NULL DEFAULT '',
    f_user2_teamname TEXT    NOT NULL DEFAULT 'My Friends',
    f_user2_markname TEXT    NOT NULL DEFAULT '',
    f_update_time    TEXT    DEFAULT CURRENT_TIMESTAMP,
    f_remark         TEXT,
    UNIQUE (f_user_id1, f_user_id2)
) STRICT;
CREATE INDEX i_relationship_2 ON t_user_relationship (f_user_id2);

-- Every entry of every log. f_kind 0 is a notice (JSON), other numbers are a message's dialect.
-- f_targetid: the user or group written to, for an inbox its owner.
CREATE TABLE t_chatmsg (
    f_id          INTEGER PRIMARY KEY,
    f_senderid    INTEGER NOT NULL,
    f_targetid    INTEGER NOT NULL,
    f_msgcontent  BLOB    NOT NULL,
    f_create_time TEXT    GENERATED ALWAYS AS (datetime(f_time / 1000, 'unixepoch')) VIRTUAL,
    f_remark      TEXT,
    f_conv        INTEGER NOT NULL,
    f_seq         INTEGER NOT NULL,
    f_kind        INTEGER NOT NULL,
    f_client_id   TEXT    NOT NULL,
    f_device      INTEGER NOT NULL,
    f_tag         INTEGER NOT NULL,
    f_time        INTEGER NOT NULL,
    UNIQUE (f_conv, f_seq),
    UNIQUE (f_senderid, f_client_id)
) STRICT;

-- The last sequence number and time of a conversation.
CREATE TABLE t_conversation (
    f_conv INTEGER PRIMARY KEY,
    f_head INTEGER NOT NULL,
    f_time INTEGER NOT NULL
) STRICT;

-- Which conversations a user may read, and behind which entry.
CREATE TABLE t_place (
    f_user_id INTEGER NOT NULL,
    f_conv    INTEGER NOT NULL,
    f_since   INTEGER NOT NULL,
    PRIMARY KEY (f_user_id, f_conv)
) STRICT, WITHOUT ROWID;

CREATE TABLE t_device (
    f_user_id    INTEGER NOT NULL,
    f_device     INTEGER NOT NULL,
    f_registered INTEGER NOT NULL,
    PRIMARY KEY (f_user_id, f_device)
) STRICT, WITHOUT ROWID;

-- How far a device got. The conversation stands before the device in the key, because a new
-- device asks for the furthest of all devices.
CREATE TABLE t_cursor (
    f_user_id INTEGER NOT NULL,
    f_device  INTEGER NOT NULL,
    f_conv    INTEGER NOT NULL,
    f_seq     INTEGER NOT NULL,
    PRIMARY KEY (f_user_id, f_conv, f_device)
) STRICT, WITHOUT ROWID;

-- Open requests.
CREATE TABLE t_friend_request (
    f_from INTEGER NOT NULL,
    f_to   INTEGER NOT NULL,
    f_time INTEGER NOT NULL,
    PRIMARY KEY (f_from, f_to)
) STRICT, WITHOUT ROWID;

-- The next number of each kind.
CREATE TABLE t_id (
    f_kind TEXT    NOT NULL PRIMARY KEY,
    f_next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO t_id VALUES ('user', 1), ('group', 268435456);

CREATE TABLE t_blob (
    f_sha256 TEXT    NOT NULL PRIMARY KEY,
    f_size   INTEGER NOT NULL,
    f_time   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The names of the old transfer protocol; f_class 1 is files, 2 is pictures.
CREATE TABLE t_blob_name (
    f_class    INTEGER NOT NULL,
    f_name     TEXT    NOT NULL,
    f_sha256   TEXT    NOT NULL,
    f_verified INTEGER NOT NULL,
    f_time     INTEGER NOT NULL,
    PRIMARY KEY (f_class, f_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE t_address (
    f_address    TEXT    NOT NULL PRIMARY KEY,
    f_last_login INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE t_upload_day (
    f_address TEXT    NOT NULL,
    f_day     INTEGER NOT NULL,
    f_bytes   INTEGER NOT NULL,
    PRIMARY KEY (f_address, f_day)
) STRICT, WITHOUT ROWID;
