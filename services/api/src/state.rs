//! What handlers share.

use std::sync::Arc;

use tesela_compute::Cube;
use tokio::sync::Semaphore;

use crate::ApiError;

/// How the server presents and protects itself.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Public address (`https://datos.example`), when a proxy stands before; else the request's Host is used.
    pub base_url: Option<String>,
    /// Requests that may compute pixels or statistics at once.
    pub concurrent_work: usize,
    /// Requests that may wait for that; more are refused with 429.
    pub waiting_work: usize,
    /// Largest side of a picture, pixels.
    pub max_picture_px: usize,
}

impl Default for ServeConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { base_url: None, concurrent_work: cores, waiting_work: 512, max_picture_px: 4096 }
    }
}

/// What handlers share; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The cube.
    pub cube: Cube,
    /// Settings.
    pub config: Arc<ServeConfig>,
    work: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl AppState {
    /// State over an open cube.
    pub fn new(cube: Cube, config: ServeConfig) -> Self {
        let work = Arc::new(Semaphore::new(config.concurrent_work.max(1)));
        let queue = Arc::new(Semaphore::new(config.concurrent_work.max(1) + config.waiting_work));
        Self { cube, config: Arc::new(config), work, queue }
    }

    /// Runs pixel work on a blocking thread, at most `concurrent_work` at once.
    ///
    /// # Errors
    /// 429 when too many requests wait already; whatever the work returns; 500 if it panics.
    pub async fn run<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Cube) -> Result<T, ApiError> + Send + 'static,
    {
        let _place = self.queue.clone().try_acquire_owned().map_err(|_| ApiError::busy())?;
        let _turn = self.work.clone().acquire_owned().await.map_err(|_| ApiError::busy())?;
        let cube = self.cube.clone();
        tokio::task::spawn_blocking(move || work(&cube)).await.map_err(|e| ApiError::internal(&e))?
    }
}
