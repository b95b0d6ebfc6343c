//! Codes that a therapist's software exchanges for a token.

use unloop::access::grant::{Invite, Invites};

use crate::support::{Server, deed};

async fn a_code_is_good_once(server: Server) {
    let invites = || Invites::new(server.engine.store.clone());
    let invite = Invite {
        grant: "g".to_owned(),
        token_ttl: 60,
    };
    let now = jiff::Timestamp::now().as_second();
    let deed = deed("grant-invite");
    let code = invites().make(&invite, 60, now, &deed).await.unwrap();
    assert!(invites().find("guessed").await.unwrap().is_none());
    let tries = (0..32).map(|_| {
        let (invites, code) = (invites(), code.clone());
        let store = server.engine.store.clone();
        tokio::spawn(async move {
            let (found, used_up) = invites.find(&code).await.unwrap()?;
            store.change(vec![used_up]).await.ok().map(|()| found)
        })
    });
    let tries: Vec<_> = tries.collect();
    let mut told = Vec::new();
    for one in tries {
        told.extend(one.await.unwrap());
    }
    assert_eq!(told, std::slice::from_ref(&invite), "one of 32 wins");
    assert!(invites().find(&code).await.unwrap().is_none(), "used");
    let over = invites().make(&invite, 1, now - 3600, &deed).await.unwrap();
    assert!(invites().find(&over).await.unwrap().is_none(), "expired");
    for ttl in [0, -1, 8 * 24 * 3600] {
        assert!(invites().make(&invite, ttl, now, &deed).await.is_err());
    }
}

crate::on_both_stores!(a_code_is_good_once);
