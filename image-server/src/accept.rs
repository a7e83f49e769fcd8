//! Which format a client takes, by its `Accept`.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

use crate::picture::Wanted;

/// WebP for those who name it; `image/*` and `*/*` say so too often without meaning it.
pub(crate) fn wanted(headers: &HeaderMap) -> Wanted {
    let names_webp = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(takes_webp);
    match names_webp {
        true => Wanted::WebP,
        false => Wanted::Common,
    }
}

fn takes_webp(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let is_webp = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("image/webp"));
    is_webp
        && !parts.any(|parameter| {
            let weight = parameter.strip_prefix(['q', 'Q']).map(str::trim_start);
            let weight = weight.and_then(|rest| rest.strip_prefix('='));
            weight.is_some_and(|weight| weight.trim().parse() == Ok(0.0_f32))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webp_is_for_those_who_name_it() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, value.parse().unwrap());
            wanted(&headers)
        };
        for names_it in [
            "image/webp",
            "image/avif,image/webp,image/apng,*/*;q=0.8",
            "text/html, Image/WebP ; q=0.2",
        ] {
            assert_eq!(read(names_it), Wanted::WebP, "{names_it}");
        }
        for other in [
            "*/*",
            "image/*",
            "image/webp;q=0",
            "image/webp; q=0.0, */*",
            "",
            "x",
        ] {
            assert_eq!(read(other), Wanted::Common, "{other}");
        }
        assert_eq!(wanted(&HeaderMap::new()), Wanted::Common);
    }
}
