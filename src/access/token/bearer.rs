//! The token out of the header `Authorization`: never from the query or a form,
//! where it would end in logs. <https://www.rfc-editor.org/rfc/rfc6750#section-2.1>

use super::Refusal;

/// Bytes of a token. What identity providers make is far below.
pub const MAX_TOKEN: usize = 16 * 1024;

/// `headers`: the value of every header `Authorization` of the request.
pub fn bearer<'h>(headers: impl IntoIterator<Item = &'h [u8]>) -> Result<&'h str, Refusal> {
    let mut headers = headers.into_iter();
    let value = headers.next().ok_or(Refusal::Missing)?;
    if headers.next().is_some() {
        return Err(Refusal::Malformed(
            "The request has more than one Authorization header; send one.",
        ));
    }
    let value = std::str::from_utf8(value).map_err(|_| NO_BEARER)?;
    let (scheme, token) = value.trim().split_once(' ').ok_or(NO_BEARER)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(NO_BEARER);
    }
    let token = token.trim_start_matches(' ');
    if token.len() > MAX_TOKEN {
        return Err(Refusal::Invalid("The token is longer than 16 KiB."));
    }
    if !is_b64token(token) {
        return Err(NO_BEARER);
    }
    Ok(token)
}

const NO_BEARER: Refusal =
    Refusal::Malformed("The header Authorization must be: Bearer, a space, and one token.");

fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(plain)
}
