//! What the routes ask of whoever keeps streams going.

use std::{fmt, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use ocelli_engine::{Follower, LatestFrame, StreamError, StreamSpec, StreamStatus, Supervisor};
use ocelli_model::StreamId;

/// The [`Supervisor`] as the routes see it; its methods say what each does. A seam of its own, so that the routes can be
/// driven through states that no source brings about at will.
#[async_trait]
pub trait Engine: Send + Sync + fmt::Debug {
    /// See [`Supervisor::create`].
    async fn create(&self, id: StreamId, spec: StreamSpec, start: bool) -> Result<StreamStatus, StreamError>;
    /// See [`Supervisor::decode`].
    async fn decode(&self, id: StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError>;
    /// See [`Supervisor::change`].
    async fn change(&self, id: &StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError>;
    /// See [`Supervisor::start`].
    async fn start(&self, id: &StreamId) -> Result<StreamStatus, StreamError>;
    /// See [`Supervisor::stop`].
    async fn stop(&self, id: &StreamId) -> Result<StreamStatus, StreamError>;
    /// See [`Supervisor::delete`].
    async fn delete(&self, id: &StreamId, frames_too: bool) -> Result<(), StreamError>;
    /// See [`Supervisor::list`].
    fn list(&self) -> Vec<StreamStatus>;
    /// See [`Supervisor::status`].
    fn status(&self, id: &StreamId) -> Result<StreamStatus, StreamError>;
    /// See [`Supervisor::spec`].
    fn spec(&self, id: &StreamId) -> Result<StreamSpec, StreamError>;
    /// See [`Supervisor::latest`].
    async fn latest(&self, id: &StreamId) -> Result<Option<Arc<LatestFrame>>, StreamError>;
    /// See [`Supervisor::look`].
    fn look(&self, id: &StreamId) -> Result<bool, StreamError>;
    /// See [`Supervisor::follow`].
    fn follow(&self, id: &StreamId) -> Result<Follower, StreamError>;
    /// See [`Supervisor::frame_folder`].
    fn frame_folder(&self, id: &StreamId) -> PathBuf;
}

#[async_trait]
impl Engine for Supervisor {
    async fn create(&self, id: StreamId, spec: StreamSpec, start: bool) -> Result<StreamStatus, StreamError> {
        self.create(id, spec, start).await
    }

    async fn decode(&self, id: StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        self.decode(id, spec).await
    }

    async fn change(&self, id: &StreamId, spec: StreamSpec) -> Result<StreamStatus, StreamError> {
        self.change(id, spec).await
    }

    async fn start(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        self.start(id).await
    }

    async fn stop(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        self.stop(id).await
    }

    async fn delete(&self, id: &StreamId, frames_too: bool) -> Result<(), StreamError> {
        self.delete(id, frames_too).await
    }

    fn list(&self) -> Vec<StreamStatus> {
        self.list()
    }

    fn status(&self, id: &StreamId) -> Result<StreamStatus, StreamError> {
        self.status(id)
    }

    fn spec(&self, id: &StreamId) -> Result<StreamSpec, StreamError> {
        self.spec(id)
    }

    async fn latest(&self, id: &StreamId) -> Result<Option<Arc<LatestFrame>>, StreamError> {
        self.latest(id).await
    }

    fn look(&self, id: &StreamId) -> Result<bool, StreamError> {
        self.look(id)
    }

    fn follow(&self, id: &StreamId) -> Result<Follower, StreamError> {
        self.follow(id)
    }

    fn frame_folder(&self, id: &StreamId) -> PathBuf {
        self.frame_folder(id)
    }
}
