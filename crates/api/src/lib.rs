//! Our HTTP and WebSocket interface over the engine.
