//! Ends statements that take too long. SQLite asks its progress handler every few
//! thousand steps; each thread that reads has a time by which it must be done.
//! <https://www.sqlite.org/c3ref/progress_handler.html>
#![expect(
    unsafe_code,
    reason = "Diesel has no way to a progress handler; the two functions below touch no memory of SQLite's"
)]

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::sync::Once;
use std::time::Instant;

use libsqlite3_sys::{
    SQLITE_OK, sqlite3, sqlite3_api_routines, sqlite3_auto_extension, sqlite3_progress_handler,
};

/// Steps of SQLite's machine between two looks at the clock: a fraction of a
/// millisecond.
const STEPS: c_int = 10_000;

thread_local! {
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

static INSTALLED: Once = Once::new();

/// From now on every connection of the process asks. To be called before one is opened.
pub fn install_interrupts() {
    INSTALLED.call_once(|| {
        // SAFETY: `watch` has the signature that SQLite documents, and lives as long
        // as the program.
        let status = unsafe { sqlite3_auto_extension(Some(watch)) };
        if status != SQLITE_OK {
            tracing::error!(status, "statements of SQLite cannot be interrupted");
        }
    });
}

/// Statements of this thread end with an error once the time has come.
pub fn set_interrupt_time(until: Option<Instant>) {
    UNTIL.set(until);
}

/// SQLite calls it for every connection that is opened.
unsafe extern "C" fn watch(
    connection: *mut sqlite3,
    _problem: *mut *mut c_char,
    _routines: *const sqlite3_api_routines,
) -> c_int {
    // SAFETY: the connection is the one that SQLite is opening, and `is_over` uses
    // no argument.
    unsafe { sqlite3_progress_handler(connection, STEPS, Some(is_over), std::ptr::null_mut()) };
    SQLITE_OK
}

/// Anything but 0 ends the statement.
unsafe extern "C" fn is_over(_nothing: *mut c_void) -> c_int {
    let until = UNTIL.try_with(Cell::get).ok().flatten();
    c_int::from(until.is_some_and(|until| Instant::now() >= until))
}
