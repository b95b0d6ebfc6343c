//! Who runs a command, as the operating system knows it; the environment may say
//! anything and is not asked.

use std::fs;

use crate::access::{Caller, Internal};

/// Names of users by their numbers. <https://man7.org/linux/man-pages/man5/passwd.5.html>
const USERS: &str = "/etc/passwd";

/// Work that somebody at this machine has the service do.
pub fn operator(work: Internal) -> Caller {
    Caller::command(work, account())
}

/// `alice (uid 1000)`; of users that only a directory knows, the number alone.
fn account() -> String {
    let number = rustix::process::getuid().as_raw();
    let users = fs::read_to_string(USERS).unwrap_or_default();
    match name_of(&users, number) {
        Some(name) => format!("{name} (uid {number})"),
        None => format!("uid {number}"),
    }
}

fn name_of(users: &str, number: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id.parse() == Ok(number)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn users_are_known_by_their_numbers() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbad line\nalice:x:1000:1000::/:/bin/sh\n";
        assert_eq!(name_of(users, 1000), Some("alice"));
        assert_eq!(name_of(users, 0), Some("root"));
        assert_eq!(name_of(users, 5), None);
    }
}
