/// SHA-256 as lower-case hexadecimal: injected, so that the rules stay free of system libraries.
public typealias SHA256Hex = @Sendable ([UInt8]) -> String
