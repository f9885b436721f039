//! What a request shows: taken out of it before anything else sees it.

use axum::http::{HeaderMap, Method, Request, Uri, header, uri::PathAndQuery};

use super::{media_url::Signature, secret::Secret};

/// The field of the query that browsers use where they cannot set a header: WebSockets and `<img>`.
const FIELD: &str = "access_token=";
/// The fields of a media URL.
const SIGNATURE: &str = "signature=";
const EXPIRES: &str = "expires=";

/// What a request showed, in its extensions after [`take_credentials`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Nothing,
    Token(Secret),
    Signed(Signature),
    Unusable(Unusable),
}

/// A credential that cannot even be looked at; in the words that its sender reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("write `Authorization: Bearer <token>`; other schemes are not known here")]
    Scheme,
    #[error("the request shows more than one credential; send one")]
    Several,
    #[error("access_token in the query is for GET only; send an Authorization header")]
    Method,
    #[error("media URLs are for reading; send an Authorization header")]
    SignedMethod,
    #[error("the token holds characters that no token has")]
    Characters,
    #[error("the media URL is not whole: it ends in expires=… and signature=… as they were given")]
    Signature,
}

/// Moves the credential from `Authorization: Bearer …` (RFC 6750 section 2.1) or `?access_token=` (section 2.3) to where only
/// the guard looks, so that no log of a request can hold it. The server does this first of all; doing it again is harmless.
pub fn take_credentials<Body>(request: &mut Request<Body>) {
    if request.extensions().get::<Shown>().is_some() {
        return;
    }
    let from_query = take_query(request.uri_mut());
    let from_header = take_header(request.headers_mut());
    let only_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let shown = match (from_header, from_query) {
        (Shown::Nothing, Shown::Token(_)) if !only_read => Shown::Unusable(Unusable::Method),
        (Shown::Nothing, Shown::Signed(_)) if !only_read => Shown::Unusable(Unusable::SignedMethod),
        (Shown::Nothing, shown) | (shown, Shown::Nothing) => shown,
        _ => Shown::Unusable(Unusable::Several),
    };
    request.extensions_mut().insert(shown);
}

fn take_header(headers: &mut HeaderMap) -> Shown {
    let header::Entry::Occupied(entry) = headers.entry(header::AUTHORIZATION) else { return Shown::Nothing };
    let (_name, mut values) = entry.remove_entry_mult();
    let (first, second) = (values.next(), values.next());
    drop(values);
    match (first, second) {
        (Some(value), None) => {
            let word = value.to_str().unwrap_or_default();
            let (scheme, token) = word.split_once(' ').unwrap_or((word, ""));
            if scheme.eq_ignore_ascii_case("bearer") {
                token_of(token.trim())
            } else {
                Shown::Unusable(Unusable::Scheme)
            }
        }
        _ => Shown::Unusable(Unusable::Several),
    }
}

fn take_query(uri: &mut Uri) -> Shown {
    let is_signed = uri.query().is_some_and(|query| fields(query, SIGNATURE).next().is_some());
    let is_ours = |pair: &&str| {
        pair.starts_with(FIELD) || is_signed && (pair.starts_with(SIGNATURE) || pair.starts_with(EXPIRES))
    };
    let Some(query) = uri.query().filter(|query| query.split('&').any(|pair| is_ours(&pair))) else {
        return Shown::Nothing;
    };
    let shown = match (Values::of(query, FIELD), is_signed) {
        (Values::Several, _) | (Values::One(_), true) => Shown::Unusable(Unusable::Several),
        (Values::One(token), false) => token_of(token),
        (Values::Nothing, _) => signature(query),
    };
    let rest: Vec<&str> = query.split('&').filter(|pair| !is_ours(pair)).collect();
    let target =
        if rest.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), rest.join("&")) };
    let mut parts = uri.clone().into_parts();
    // What was a target stays one when a part of its query goes.
    parts.path_and_query = Some(target.parse().unwrap_or_else(|_error| PathAndQuery::from_static("/")));
    *uri = Uri::from_parts(parts).unwrap_or_default();
    shown
}

fn fields<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    query.split('&').filter_map(move |pair| pair.strip_prefix(name))
}

/// What a query holds under one name.
enum Values<'a> {
    Nothing,
    One(&'a str),
    Several,
}

impl<'a> Values<'a> {
    fn of(query: &'a str, name: &'a str) -> Self {
        let mut values = fields(query, name);
        match (values.next(), values.next()) {
            (None, _) => Self::Nothing,
            (Some(one), None) => Self::One(one),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

fn signature(query: &str) -> Shown {
    match (Values::of(query, EXPIRES), Values::of(query, SIGNATURE)) {
        (Values::Several, _) | (_, Values::Several) => Shown::Unusable(Unusable::Several),
        (Values::One(expires), Values::One(word)) => {
            Signature::read(expires, word).map_or(Shown::Unusable(Unusable::Signature), Shown::Signed)
        }
        _ => Shown::Unusable(Unusable::Signature),
    }
}

fn token_of(word: &str) -> Shown {
    // RFC 6750's b64token, of which ours and JWTs use a part.
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let whole = !word.is_empty() && word.bytes().all(known);
    if whole { Shown::Token(Secret::new(word)) } else { Shown::Unusable(Unusable::Characters) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_and_removed() {
        let check = |method: Method, uri: &str, headers: &[&str], expected: Shown, left: &str| {
            let mut request = Request::builder().method(method).uri(uri);
            for value in headers {
                request = request.header(header::AUTHORIZATION, *value);
            }
            let mut request = request.body(()).unwrap();
            take_credentials(&mut request);
            assert_eq!(request.extensions().get::<Shown>(), Some(&expected), "{uri} {headers:?}");
            assert_eq!(request.uri().to_string(), left);
            assert!(!request.headers().contains_key(header::AUTHORIZATION));
            take_credentials(&mut request);
            assert_eq!(request.extensions().get::<Shown>(), Some(&expected), "twice is once");
        };
        let token = |word: &str| Shown::Token(Secret::new(word));
        let get = || Method::GET;
        check(get(), "/a?b=1", &[], Shown::Nothing, "/a?b=1");
        check(get(), "/a", &["Bearer ocl_x"], token("ocl_x"), "/a");
        check(get(), "/a", &["bearer  ocl_x "], token("ocl_x"), "/a");
        check(Method::POST, "/a", &["Bearer a.b.c="], token("a.b.c="), "/a");
        check(get(), "/a?access_token=ocl_x", &[], token("ocl_x"), "/a");
        check(get(), "/a?b=1&access_token=ocl_x&c=%20", &[], token("ocl_x"), "/a?b=1&c=%20");
        check(get(), "https://h:1/a?access_token=ocl_x", &[], token("ocl_x"), "https://h:1/a");
        check(get(), "/a?my_access_token=x", &[], Shown::Nothing, "/a?my_access_token=x");
        let word = "A".repeat(43);
        let signed = Shown::Signed(Signature::read("12", &word).unwrap());
        check(get(), &format!("/a?b=1&expires=12&signature={word}&c=2"), &[], signed, "/a?b=1&c=2");
        check(get(), "/a?expires=12", &[], Shown::Nothing, "/a?expires=12");
        let unusable = Shown::Unusable;
        let signed = format!("expires=12&signature={word}");
        check(Method::POST, &format!("/a?{signed}"), &[], unusable(Unusable::SignedMethod), "/a");
        check(get(), &format!("/a?{signed}"), &["Bearer x"], unusable(Unusable::Several), "/a");
        check(get(), &format!("/a?{signed}&access_token=x"), &[], unusable(Unusable::Several), "/a");
        check(get(), &format!("/a?{signed}&expires=13"), &[], unusable(Unusable::Several), "/a");
        check(get(), "/a?expires=12&signature=x", &[], unusable(Unusable::Signature), "/a");
        check(get(), &format!("/a?signature={word}"), &[], unusable(Unusable::Signature), "/a");
        check(get(), "/a", &["Basic dTpw"], unusable(Unusable::Scheme), "/a");
        check(get(), "/a", &["ocl_x"], unusable(Unusable::Scheme), "/a");
        check(get(), "/a", &["Bearer"], unusable(Unusable::Characters), "/a");
        check(get(), "/a", &["Bearer a b"], unusable(Unusable::Characters), "/a");
        check(get(), "/a", &["Bearer a", "Bearer a"], unusable(Unusable::Several), "/a");
        check(get(), "/a?access_token=x", &["Bearer x"], unusable(Unusable::Several), "/a");
        check(get(), "/a?access_token=x&access_token=x", &[], unusable(Unusable::Several), "/a");
        check(get(), "/a?access_token=", &[], unusable(Unusable::Characters), "/a");
        check(get(), "/a?access_token=%61", &[], unusable(Unusable::Characters), "/a");
        check(Method::POST, "/a?access_token=x", &[], unusable(Unusable::Method), "/a");
    }
}
