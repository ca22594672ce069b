"""vsafsm: compiles finite state machines to proven weights of attractor recurrent spiking networks."""
