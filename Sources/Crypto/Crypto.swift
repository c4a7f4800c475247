// Digests, randomness and tokens over the system's OpenSSL.
