import Basics
import Crypto
import Testing

struct CryptoTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `SHA-256 gives the digests of FIPS 180-4`(text: String, digest: String) {
        #expect(SHA256.hexDigest(text) == digest)
        #expect(SHA256.hexDigest(text.utf8) == digest)
        var pieces = SHA256()
        for byte in text.utf8 { pieces.update([byte]) }
        #expect(Hex.encode(pieces.finish()) == digest)
    }

    @Test func `a million a's are digested piece by piece`() {
        var digest = SHA256()
        for _ in 0..<1000 { digest.update(String(repeating: "a", count: 1000)) }
        #expect(Hex.encode(digest.finish()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func `HMAC gives the codes of RFC 4231`() {
        let code = HMACSHA256.authenticate(Array("Hi There".utf8), key: Array(repeating: 0x0b, count: 20))
        #expect(Hex.encode(code) == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        let second = HMACSHA256.authenticate(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(Hex.encode(second) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(HMACSHA256.isValid(second, for: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8)))
        #expect(!HMACSHA256.isValid(code, for: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8)))
    }

    @Test func `MD5 gives the digests of RFC 1321`() {
        #expect(MD5.hexDigest("") == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(MD5.hexDigest("message digest") == "f96b697d7cb7938d525a2f31aaf161d0")
    }

    @Test func `secrets are compared whole`() {
        #expect(constantTimeEqual("key", "key"))
        #expect(!constantTimeEqual("key", "kez"))
        #expect(!constantTimeEqual("key", "ke"))
        #expect(constantTimeEqual("", ""))
    }

    @Test func `random bytes have their length and differ`() {
        #expect(SecureRandom.bytes(32).count == 32)
        #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
        #expect(SecureRandom.hex(byteCount: 16).utf8.count == 32)
        #expect(SecureRandom.bytes(0) == [])
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64 gives the texts of RFC 4648`(plain: String, text: String) {
        #expect(Base64.encode(plain.utf8) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
        #expect(Base64.decode(text.filter { $0 != "=" }) == Array(plain.utf8))
    }

    @Test func `both alphabets and a plus that became a space are decoded`() {
        #expect(Base64.encode([0xFB, 0xFF, 0xFE]) == "+//+")
        #expect(Base64.encodeURL([0xFB, 0xFF, 0xFE]) == "-__-")
        #expect(Base64.encodeURL([0xFB]) == "-w")
        #expect(Base64.encodeURL([0xFB], padded: true) == "-w==")
        for text in ["+//+", "-__-", " //+"] { #expect(Base64.decode(text) == [0xFB, 0xFF, 0xFE]) }
    }

    @Test(arguments: ["A", "AAAAA", "A===", "AA=", "AA=A", "AA?A", "Zm9v\n", "===="])
    func `what is no base64 is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func `every length comes back`() {
        for count in 0..<70 {
            let bytes = SecureRandom.bytes(count)
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decode(Base64.encodeURL(bytes)) == bytes)
        }
    }
}

struct URLPartsTests {
    @Test func `the parts of addresses are found`() throws {
        let url = try URLParts("HTTP://Example.COM:8080/graphql/realtime?header=a%20b&payload=e30=#part")
        #expect(
            url
                == URLParts(
                    scheme: "http", host: "example.com", port: 8080, path: "/graphql/realtime",
                    query: "header=a%20b&payload=e30="))
        #expect(url.description == "http://example.com:8080/graphql/realtime?header=a%20b&payload=e30=")
        #expect(url.hostAndPort == "example.com:8080")
        let plain = try URLParts("wss://hub")
        #expect(plain == URLParts(scheme: "wss", host: "hub", port: 443, path: "/"))
        #expect(plain.isSecure && plain.hostAndPort == "hub")
        #expect(try URLParts("http://hub?x").query == "x")
        let six = try URLParts("ws://[::1]:9/x")
        #expect(six.host == "::1" && six.port == 9 && six.hostAndPort == "[::1]:9" && six.isLoopback)
        #expect(try URLParts("http://127.0.0.1").isLoopback)
        #expect(try URLParts("http://localhost:1").isLoopback)
        #expect(try !URLParts("http://127.evil.example").isLoopback)
        #expect(try !URLParts("http://192.168.1.1").isLoopback)
    }

    @Test(arguments: [
        ("hub:8080/graphql", "must begin with"), ("ftp://x", "must begin with"), ("http://", "host is missing"),
        ("http://:80/", "host is missing"), ("http://a:b@c/", "password"), ("http://a:99999/", "port must be"),
        ("http://a:/", "port must be"), ("http://a:-1/", "port must be"), ("http://a b/", "a space"),
        ("http://ä/", "escaped"), ("http://[::1/", "] after"), ("http://[::1]x/", "only a port"),
        ("", "must begin with"),
    ])
    func `what is no address is refused with its reason`(text: String, reason: String) {
        #expect { try URLParts(text) } throws: { "\($0)".contains(reason) }
    }
}
