-- What user names look like, so that nobody new is taken for somebody else.

-- A name has one to three looks, see common/src/names.rs. f_user_id: whose name was the first with
-- this one. Names of accounts that are older than this table may share it.
CREATE TABLE t_name_look (
    f_look    TEXT    NOT NULL PRIMARY KEY,
    f_user_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
