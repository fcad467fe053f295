//! All tests of the model in one binary, because one binary links faster than many.

mod access_order;
mod canaries;
mod delayed;
mod dropped;
mod event_index;
mod extents;
mod fingerprint;
mod honest;
mod interrupted;
mod judgement;
mod lies;
mod lost;
mod manners;
mod names;
mod promises;
mod promises_apart;
mod random;
mod reader;
mod rings;
mod support;
mod take_back;
mod trace_hash;
mod unwound;
mod used;
mod withdraw;
mod words;
