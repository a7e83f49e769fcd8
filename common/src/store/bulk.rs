//! Statements over many rows, in few sizes.
//!
//! Every size is a statement of its own to prepare and to keep; powers of two keep them few.

/// Rows of one statement at most. 13 columns of 512 rows stay far below the 65535 parameters that
/// a statement can have.
const ROWS_MAX: usize = 512;

/// Cuts `rows` into pieces whose lengths are powers of two, the longest first.
pub(in crate::store) fn pieces<T>(rows: &[T]) -> Vec<&[T]> {
    let mut rest = rows;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let size = ROWS_MAX.min(1 << rest.len().ilog2());
        let (piece, behind) = rest.split_at(size);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// Cuts a list of keys to look for into pieces whose lengths are powers of two, repeating the last
/// key to fill one up: looking twice for a key finds it once.
pub(in crate::store) fn lookups<T: Clone>(keys: &[T]) -> Vec<Vec<T>> {
    let padded = |piece: &[T]| {
        let mut piece = piece.to_vec();
        if let Some(last) = piece.last().cloned() {
            piece.resize(piece.len().next_power_of_two(), last);
        }
        piece
    };
    keys.chunks(ROWS_MAX).map(padded).collect()
}

/// `count` groups of `width` placeholders: `(?,?),(?,?)`.
pub(in crate::store) fn groups(count: usize, width: usize) -> String {
    let group = format!("({})", marks(width));
    vec![group; count].join(",")
}

/// `count` placeholders: `?,?`.
pub(in crate::store) fn marks(count: usize) -> String {
    vec!["?"; count].join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_powers_of_two_and_keep_the_order() {
        let rows: Vec<u32> = (0..1_300).collect();
        let pieces = pieces(&rows);
        assert!(pieces.iter().all(|piece| piece.len().is_power_of_two()));
        assert!(pieces.iter().all(|piece| piece.len() <= ROWS_MAX));
        assert_eq!(pieces.concat(), rows);
    }

    #[test]
    fn lookups_repeat_the_last_key() {
        assert_eq!(lookups(&[1, 2, 3]), vec![vec![1, 2, 3, 3]]);
        assert!(lookups::<u32>(&[]).is_empty());
    }

    #[test]
    fn placeholders() {
        assert_eq!(groups(2, 3), "(?,?,?),(?,?,?)");
        assert_eq!(marks(1), "?");
    }
}
