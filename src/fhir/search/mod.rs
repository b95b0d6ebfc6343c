//! Search: what a resource can be found by, and what a search asks for, as
//! data of the store's port. <https://hl7.org/fhir/R4/search.html>
//!
//! Read in this order: [`expression`] (which elements a parameter names),
//! [`catalogue`] (the parameters of a type), [`extract`] (resource -> rows),
//! [`query`] (URL -> typed query), [`mod@compile`] (query -> plan).

pub mod catalogue;
mod chain;
pub mod compartment;
pub mod compile;
mod composite;
mod condition;
pub mod constraint;
pub mod date;
pub mod decimal;
pub mod expression;
pub mod extract;
pub mod form;
pub mod include;
pub mod key;
mod lookup;
pub mod mention;
pub mod near;
pub mod order;
pub mod page;
pub mod param;
pub mod parameter;
pub mod path;
pub mod prefix;
pub mod quantity;
pub mod query;
pub mod reference;
mod result;
mod row_order;
pub mod sensitivity;
pub mod sort;
pub mod sound;
pub mod string;
mod suggest;
pub mod token;
pub mod ucum;
mod ucum_code;
mod ucum_units;
mod uri;
mod value;
mod values;
pub mod zone;

pub use catalogue::{Catalogue, is_searchable};
pub use compile::{Compartment, compile};
pub use constraint::constraint;
pub use include::Include;
pub use query::{LIST, Query, Settings};
pub use result::{RESULT_PARAMETERS, Summary, Total, types};
