//! The different words of the search index.

use crate::id::ConvId;
use crate::store::Value;
use crate::store::bulk::marks;
use crate::store::search::end_of;

/// The statement that answers with the different words of these conversations that begin so. For a
/// DISTINCT SQLite would read a word as often as it stands in the index: this asks for the next one,
/// again and again.
pub(super) fn different(convs: &[ConvId], start: &str, limit: u32) -> (String, Vec<Value>) {
    let sql = format!(
        "WITH RECURSIVE spelled(f_conv, f_word) AS (
             SELECT v.f_conv, (SELECT MIN(w.f_word) FROM t_word w
                 WHERE w.f_conv = v.f_conv AND w.f_word >= ?1 AND w.f_word < ?2)
             FROM t_conversation v WHERE v.f_conv IN ({})
             UNION ALL
             SELECT f_conv, (SELECT MIN(w.f_word) FROM t_word w
                 WHERE w.f_conv = spelled.f_conv AND w.f_word > spelled.f_word AND w.f_word < ?2)
             FROM spelled WHERE f_word IS NOT NULL
         )
         SELECT f_conv, f_word FROM spelled WHERE f_word IS NOT NULL LIMIT ?",
        marks(convs.len())
    );
    let mut values = vec![start.into(), end_of(start).into()];
    values.extend(convs.iter().map(|conv| Value::from(*conv)));
    values.push(limit.into());
    (sql, values)
}
