//! Turns to search: how many search at once, how long, with how much memory, and an end where
//! nobody waits for the answer any more.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use bergfried_store::{Limits, Reader, Stop};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::config::SearchLimits;
use crate::error::{ApiError, blocking};
use crate::request;
use crate::router::State;

/// How long a request has, beyond that of its turn and its search, to say what came of them.
const MORE: Duration = Duration::from_secs(5);
/// How many searches run at once; each uses up to two threads.
const AT_ONCE: usize = 4;

/// The turns of a hub.
pub(crate) struct Searches {
    permits: Arc<Semaphore>,
    limits: SearchLimits,
}

impl Searches {
    pub(crate) fn new(limits: SearchLimits) -> Self {
        Searches { permits: Arc::new(Semaphore::new(AT_ONCE)), limits }
    }

    async fn turn(&self, reader: &Reader) -> Result<Turn, ApiError> {
        // As long for the turn, then for the search; both say by themselves that it was too long.
        request::allow(self.limits.time * 2 + MORE);
        let permit = timeout(self.limits.time, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = match permit {
            Ok(permit) => permit.map_err(|error| ApiError::internal(&error))?,
            Err(_elapsed) => {
                let message = "others search, and none of them has come to an end: try again";
                return Err(ApiError::later(StatusCode::SERVICE_UNAVAILABLE, message, 5));
            }
        };
        let ended = EndOnDrop(Stop::default());
        let limits = Limits { stop: ended.0.clone(), memory: self.limits.memory };
        Ok(Turn { permit, ended, reader: reader.within(&limits), limits, time: self.limits.time })
    }
}

/// Waits for a turn to search.
pub(crate) async fn turn(state: &State) -> Result<Turn, ApiError> {
    state.searches.turn(&state.reader).await
}

/// A turn to search. Where it is dropped, as it is when a browser goes away, its work ends soon.
pub(crate) struct Turn {
    permit: OwnedSemaphorePermit,
    ended: EndOnDrop,
    reader: Reader,
    limits: Limits,
    time: Duration,
}

struct EndOnDrop(Stop);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

impl Turn {
    /// Runs work over what is stored off the threads that serve connections. It is given a reader
    /// that keeps to the limits, and these, and is told to end when its time is over or nobody waits.
    /// It keeps its place among those who search to its end, so that searches never take all the
    /// threads that answer other requests.
    ///
    /// # Errors
    /// Those of the work; 503 where its time is over.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Reader, &Limits) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let Turn { permit, ended, reader, limits, time } = self;
        let work = blocking(move || {
            let _permit = permit;
            work(&reader, &limits)
        });
        let answer = timeout(time, work).await;
        drop(ended);
        answer.unwrap_or_else(|_elapsed| {
            Err(ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!(
                    "the search took longer than {} s and was stopped: narrow it or the time",
                    time.as_secs()
                ),
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn reader() -> (tempfile::TempDir, Reader) {
        let directory = tempfile::tempdir().unwrap();
        let (_, reader, _) =
            bergfried_store::open(directory.path(), bergfried_store::Options::default()).unwrap();
        (directory, reader)
    }

    fn searches(millis: u64) -> Searches {
        let time = Duration::from_millis(millis);
        Searches::new(SearchLimits { time, ..SearchLimits::default() })
    }

    /// Work that only ends when it is told to; says that it began and that it ended.
    fn until_told(
        said: std::sync::mpsc::Sender<&'static str>,
    ) -> impl FnOnce(&Reader, &Limits) -> Result<(), ApiError> + Send + 'static {
        move |_, limits| {
            said.send("begun").unwrap();
            while !limits.stop.is_set() {
                std::thread::yield_now();
            }
            said.send("ended").unwrap();
            Ok(())
        }
    }

    #[tokio::test]
    async fn work_ends_when_its_time_is_over() {
        let (_directory, reader) = reader();
        let (said, heard) = channel();
        let turn = searches(50).turn(&reader).await.unwrap();
        let refused = turn.run(until_told(said)).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.message().contains("narrow"), "{}", refused.message());
        assert_eq!(heard.iter().collect::<Vec<_>>(), ["begun", "ended"]);
    }

    #[tokio::test]
    async fn work_ends_when_nobody_waits_and_gives_its_place_away_then() {
        let (_directory, reader) = reader();
        let searches = searches(60_000);
        let (said, heard) = channel();
        let turn = searches.turn(&reader).await.unwrap();
        let waiting = tokio::spawn(async move { turn.run(until_told(said)).await });
        let heard = tokio::task::spawn_blocking(move || (heard.recv(), heard)).await.unwrap();
        assert_eq!(heard.0, Ok("begun"));
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        let rest = tokio::task::spawn_blocking(move || heard.1.iter().collect::<Vec<_>>());
        assert_eq!(rest.await.unwrap(), ["ended"]);
        let mut all = Vec::new();
        for _ in 0..AT_ONCE {
            all.push(searches.turn(&reader).await.unwrap());
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_browser_that_goes_away_ends_its_search() {
        let (_directory, reader) = reader();
        let searches = Arc::new(searches(60_000));
        let (said, heard) = channel();
        let search = move || {
            let (searches, reader, said) = (Arc::clone(&searches), reader.clone(), said.clone());
            async move { searches.turn(&reader).await?.run(until_told(said)).await }
        };
        let router = axum::Router::new().route("/search", axum::routing::get(search));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_stopping, stopped) = tokio::sync::watch::channel(false);
        let server = tokio::spawn(crate::serve::serve(listener, None, router, stopped));
        let told = tokio::task::spawn_blocking(move || {
            use std::io::Write as _;
            let mut browser = std::net::TcpStream::connect(address).unwrap();
            browser.write_all(b"GET /search HTTP/1.1\r\nHost: hub\r\n\r\n").unwrap();
            let begun = heard.recv_timeout(Duration::from_secs(60));
            drop(browser);
            (begun, heard.recv_timeout(Duration::from_secs(60)))
        });
        assert_eq!(told.await.unwrap(), (Ok("begun"), Ok("ended")));
        server.abort();
    }

    #[tokio::test]
    async fn who_gets_no_turn_is_told_to_come_again() {
        let (_directory, reader) = reader();
        let searches = searches(20);
        let mut kept = Vec::new();
        for _ in 0..AT_ONCE {
            kept.push(searches.turn(&reader).await.unwrap());
        }
        let refused = searches.turn(&reader).await.err().unwrap();
        assert_eq!(refused.retry_after(), Some(5));
    }
}
