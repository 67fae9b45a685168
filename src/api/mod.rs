//! The engine's doors: routes over the engine, event streams, who may come in.
