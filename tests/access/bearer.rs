//! The header. <https://www.rfc-editor.org/rfc/rfc6750#section-2.1>

use unloop::access::token::Refusal;
use unloop::access::token::bearer::bearer;

fn read<'h>(headers: &[&'h str]) -> Result<&'h str, Refusal> {
    bearer(headers.iter().map(|header| header.as_bytes()))
}

#[test]
fn one_token_behind_the_scheme() {
    for header in [
        "Bearer a.b-c_d~e+f/g==",
        "bearer a.b-c_d~e+f/g==",
        "BEARER   a.b-c_d~e+f/g==",
    ] {
        assert_eq!(read(&[header]), Ok("a.b-c_d~e+f/g=="));
    }
}

#[test]
fn without_a_header_there_is_no_token() {
    assert_eq!(read(&[]), Err(Refusal::Missing));
    let challenge = Refusal::Missing.challenge().unwrap();
    assert!(challenge.starts_with("Bearer") && !challenge.contains("error"));
}

#[test]
fn two_headers_are_refused_even_if_they_say_the_same() {
    let refused = read(&["Bearer a", "Bearer a"]).unwrap_err();
    assert!(matches!(refused, Refusal::Malformed(_)));
    assert!(refused.challenge().unwrap().contains("invalid_request"));
}

#[test]
fn what_is_no_bearer_token_is_refused() {
    for header in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer =",
        "Basic dXNlcjpwYXNz",
        "Bearer a b",
        "Bearer a, Bearer b",
        "Bearer a\tb",
        "Bearer \"a\"",
        "Bearer a%2eb",
        "Bearer ä",
        "Token a",
    ] {
        assert!(
            matches!(read(&[header]), Err(Refusal::Malformed(_))),
            "{header}"
        );
    }
    assert!(matches!(
        bearer([&b"Bearer \xff"[..]]),
        Err(Refusal::Malformed(_))
    ));
}

#[test]
fn a_token_of_a_megabyte_is_refused() {
    let header = format!("Bearer {}", "a".repeat(1 << 20));
    assert!(matches!(read(&[&header]), Err(Refusal::Invalid(_))));
}
