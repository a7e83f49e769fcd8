-- Files over HTTP: what a stored file is, who uploaded it, what refers to it, and when it goes.

-- f_expires: collected from then on if nothing refers to it; NULL for never.
-- f_gone: since when the content is away although the row stays; NULL for not.
-- f_legacy: 0 for what came over HTTP only; 1 for what an old client uploaded, which is never
-- collected; 2 for what was there before references were written down.
ALTER TABLE t_blob ADD COLUMN f_mime      TEXT;
ALTER TABLE t_blob ADD COLUMN f_width     INTEGER;
ALTER TABLE t_blob ADD COLUMN f_height    INTEGER;
ALTER TABLE t_blob ADD COLUMN f_thumbhash TEXT;
ALTER TABLE t_blob ADD COLUMN f_expires   INTEGER;
ALTER TABLE t_blob ADD COLUMN f_gone      INTEGER;
ALTER TABLE t_blob ADD COLUMN f_legacy    INTEGER NOT NULL DEFAULT 2;
CREATE INDEX i_blob_expires ON t_blob (f_expires) WHERE f_expires IS NOT NULL;
CREATE INDEX i_blob_time ON t_blob (f_time);
CREATE INDEX i_blob_size ON t_blob (f_gone, f_size);

-- Who uploaded a file, as which class (1 files, 2 pictures). f_name is what he called it.
CREATE TABLE t_blob_owner (
    f_user_id INTEGER NOT NULL,
    f_sha256  TEXT    NOT NULL,
    f_class   INTEGER NOT NULL,
    f_name    TEXT,
    f_size    INTEGER NOT NULL,
    f_time    INTEGER NOT NULL,
    PRIMARY KEY (f_user_id, f_sha256, f_class)
) STRICT, WITHOUT ROWID;
CREATE INDEX i_blob_owner_sha256 ON t_blob_owner (f_sha256);
CREATE INDEX i_blob_owner_class ON t_blob_owner (f_class, f_sha256);

-- What refers to a file. f_kind 1: message f_seq of conversation f_owner; 2: the picture of user
-- f_owner; 3: the picture of group f_owner; 4: package f_owner, for everybody.
CREATE TABLE t_blob_ref (
    f_sha256 TEXT    NOT NULL,
    f_kind   INTEGER NOT NULL,
    f_owner  INTEGER NOT NULL,
    f_seq    INTEGER NOT NULL,
    PRIMARY KEY (f_sha256, f_kind, f_owner, f_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX i_blob_ref_owner ON t_blob_ref (f_kind, f_owner, f_seq);

INSERT OR IGNORE INTO t_blob_ref (f_sha256, f_kind, f_owner, f_seq)
SELECT n.f_sha256, CASE WHEN u.f_user_id < 268435456 THEN 2 ELSE 3 END, u.f_user_id, 0
FROM t_user u JOIN t_blob_name n ON n.f_class = 2 AND n.f_name = u.f_customface
WHERE u.f_customface <> '';
