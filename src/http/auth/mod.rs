//! The authorization server over HTTP: what it can do, tokens, and clients.

mod admin;
mod discovery;
mod endpoint;
mod grants;
mod record;
mod reply;

pub(super) use record::tell_bearer;

use std::sync::Arc;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::response;
use super::routes::{BASE_PATH, nowhere};
use crate::access::oauth::AuthorizationServer;
use crate::fhir::outcome::{Failure, Kind};

/// Bytes of a form or a registration.
const MAX_BODY: usize = 128 * 1024;

/// The server, where there is one.
#[derive(Clone)]
pub struct Authorization(pub Option<Arc<AuthorizationServer>>);

impl Authorization {
    fn server(&self) -> Result<&AuthorizationServer, Failure> {
        self.0.as_deref().ok_or_else(|| {
            let text = "This service issues no tokens: its operator has not set UNLOOP_SECRET. Ask the practice which issuer is used.";
            Failure::new(Kind::NotFound, text)
        })
    }
}

pub fn configure(config: &mut ServiceConfig) {
    let resource = |path: &str| {
        web::resource(path.to_owned())
            .app_data(web::PayloadConfig::new(MAX_BODY))
            .default_service(web::to(other_method))
    };
    let scope = |path: &str| {
        web::scope(path)
            .wrap(from_fn(record::recorded))
            .default_service(web::to(nowhere))
    };
    config
        .service(
            resource("/.well-known/smart-configuration").route(web::get().to(discovery::smart)),
        )
        .service(
            resource(&format!("{BASE_PATH}/.well-known/smart-configuration"))
                .route(web::get().to(discovery::smart)),
        )
        .service(resource("/.well-known/jwks.json").route(web::get().to(discovery::keys)))
        .service(
            scope("/auth")
                .service(resource("/token").route(web::post().to(endpoint::token)))
                .service(resource("/introspect").route(web::post().to(endpoint::introspect)))
                .service(resource("/revoke").route(web::post().to(endpoint::revoke))),
        )
        .service(
            scope("/admin")
                .service(
                    resource("/clients")
                        .route(web::get().to(admin::list))
                        .route(web::post().to(admin::add)),
                )
                .service(resource("/clients/{id}").route(web::delete().to(admin::disable)))
                .service(
                    resource("/grants")
                        .route(web::get().to(grants::list))
                        .route(web::post().to(grants::add)),
                )
                .service(resource("/grants/{id}").route(web::delete().to(grants::revoke))),
        );
}

/// The method that an address does not have.
async fn other_method(http: HttpRequest) -> HttpResponse {
    let text = format!("{} is not used at this address.", http.method());
    response::write("", Failure::new(Kind::MethodNotAllowed, text).into())
}
