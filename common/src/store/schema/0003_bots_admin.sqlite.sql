-- Bots, webhooks and administration.

-- Accounts that are programs, and who owns them.
CREATE TABLE t_bot (
    f_user_id  INTEGER PRIMARY KEY,
    f_owner_id INTEGER NOT NULL,
    f_created  INTEGER NOT NULL
) STRICT;
CREATE INDEX i_bot_owner ON t_bot (f_owner_id);

-- Whoever knows the secret may write into the conversation as f_user_id. Only the SHA-256 of the
-- secret is kept.
CREATE TABLE t_incoming_hook (
    f_hook    INTEGER PRIMARY KEY,
    f_user_id INTEGER NOT NULL,
    f_creator INTEGER NOT NULL,
    f_conv    INTEGER NOT NULL,
    f_name    TEXT    NOT NULL,
    f_secret  TEXT    NOT NULL,
    f_created INTEGER NOT NULL,
    f_used    INTEGER NOT NULL
) STRICT;
CREATE INDEX i_incoming_hook_creator ON t_incoming_hook (f_creator);

-- What f_user_id may read in f_conv (0: everywhere) is posted to f_url. f_device is the device
-- whose cursors say how far it got. f_paused: since when nothing is posted, 0 for never.
CREATE TABLE t_outgoing_hook (
    f_hook    INTEGER PRIMARY KEY,
    f_user_id INTEGER NOT NULL,
    f_creator INTEGER NOT NULL,
    f_device  INTEGER NOT NULL,
    f_conv    INTEGER NOT NULL,
    f_name    TEXT    NOT NULL,
    f_url     TEXT    NOT NULL,
    f_secret  TEXT    NOT NULL,
    f_created INTEGER NOT NULL,
    f_paused  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX i_outgoing_hook_creator ON t_outgoing_hook (f_creator);

-- Entries that an outgoing webhook's target never took.
CREATE TABLE t_dead_letter (
    f_hook     INTEGER NOT NULL,
    f_conv     INTEGER NOT NULL,
    f_seq      INTEGER NOT NULL,
    f_time     INTEGER NOT NULL,
    f_attempts INTEGER NOT NULL,
    f_reason   TEXT    NOT NULL,
    PRIMARY KEY (f_hook, f_conv, f_seq)
) STRICT, WITHOUT ROWID;

-- What an administrator decided about an account; one without a row is an ordinary one.
-- f_disabled: since when, 0 for not.
CREATE TABLE t_account_state (
    f_user_id  INTEGER PRIMARY KEY,
    f_admin    INTEGER NOT NULL DEFAULT 0,
    f_disabled INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Every action of an administrator. f_actor 0 is who runs the server's machine.
CREATE TABLE t_audit (
    f_id     INTEGER PRIMARY KEY AUTOINCREMENT,
    f_time   INTEGER NOT NULL,
    f_actor  INTEGER NOT NULL,
    f_by     TEXT    NOT NULL,
    f_action TEXT    NOT NULL,
    f_target TEXT    NOT NULL,
    f_detail TEXT    NOT NULL
) STRICT;

-- Who has the code may make an account. f_expires 0 is never, f_uses_max 0 is without limit.
CREATE TABLE t_invite (
    f_code     TEXT    NOT NULL PRIMARY KEY,
    f_creator  INTEGER NOT NULL,
    f_created  INTEGER NOT NULL,
    f_expires  INTEGER NOT NULL,
    f_uses_max INTEGER NOT NULL,
    f_uses     INTEGER NOT NULL,
    f_note     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
