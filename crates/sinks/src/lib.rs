//! Frames, results and events to the outside: the frame folder.
