import Basics
import Crypto
import Testing

/// Tokens taken apart and checked, by the examples of the RFCs and by keys made here.
@Suite struct TokenTests {
    static let rfcClaims = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"

    static let rfcContent =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    static let rfcHMAC =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\(rfcContent).dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    static let rfcRSA =
        "eyJhbGciOiJSUzI1NiJ9.\(rfcContent)."
        + "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU"
        + "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_"
        + "dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0"
        + "igcN_IoypGlUPQGe77Rw"

    static let rfcEC =
        "eyJhbGciOiJFUzI1NiJ9.\(rfcContent)."
        + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

    static let rfcKeys = JSONWebKeySet(
        parsing: Array(
            """
            {"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPM\
            EzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs\
            LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGN\
            j8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"},
            {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCy\
            StikYjKIWI5a0"}]}
            """.utf8))

    @Test func theExampleWithHMACOfRFC7515IsRight() throws {
        let secret = try #require(
            Base64.decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
        let token = try JSONWebToken(parsing: Self.rfcHMAC)
        #expect(token.isSigned(with: secret))
        #expect(token.claims["iss"] == "joe")
        #expect(token.claims["http://example.com/is_root"] == .bool(true))
        #expect(!token.isSigned(with: secret.dropLast()))
    }

    @Test func theExamplesWithRSAAndECDSAOfRFC7515AreRight() throws {
        let keys = try #require(Self.rfcKeys)
        #expect(keys.entries.count == 2)
        let rsa = try JSONWebToken(parsing: Self.rfcRSA)
        let ec = try JSONWebToken(parsing: Self.rfcEC)
        #expect(keys.candidates(id: nil, .rs256).contains { rsa.isSigned(by: $0) })
        #expect(keys.candidates(id: nil, .es256).contains { ec.isSigned(by: $0) })
        // Each under the other's key, and with a bit of its content turned.
        #expect(!keys.candidates(id: nil, .es256).contains { rsa.isSigned(by: $0) })
        let turned = try JSONWebToken(parsing: Self.rfcEC.replacing("eyJpc3MiOiJqb2Ui", with: "eyJpc3MiOiJqb2Qi"))
        #expect(!keys.candidates(id: nil, .es256).contains { turned.isSigned(by: $0) })
    }

    @Test(arguments: [
        ("", "", 16, 1, 1, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"),
        ("password", "NaCl", 1024, 8, 16, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"),
    ])
    func scryptGivesTheKeysOfRFC7914(
        _ password: String, _ salt: String, _ cost: Int, _ block: Int, _ parallel: Int, _ key: String
    ) {
        let parameters = Scrypt.Parameters(
            cost: UInt64(cost), blockSize: UInt64(block), parallelization: UInt64(parallel))
        #expect(Scrypt.derive(password, salt: Array(salt.utf8), parameters).map { Hex.encode($0) } == key)
    }

    @Test func scryptRefusesParametersThatAreNoneOrTooDear() {
        for cost in [0, 1, 3, 1 << 24] as [UInt64] {
            let parameters = Scrypt.Parameters(cost: cost, blockSize: 8, parallelization: 1)
            #expect(Scrypt.derive("pin", salt: [1], parameters) == nil, "\(cost)")
        }
    }

    @Test func keysMadeHereSignAndAreChecked() throws {
        let set = try #require(JSONWebKeySet(parsing: IssuerKey.set([.rsa, .p256])))
        for key in [IssuerKey.rsa, .p256] {
            // Signatures with ECDSA differ each time, in length too.
            for number in 0..<8 {
                let token = try JSONWebToken(parsing: key.token(["n": .integer(Int64(number))]))
                let algorithm = try #require(PublicKey.Algorithm(rawValue: token.algorithm))
                let candidates = set.candidates(id: token.keyID, algorithm)
                #expect(candidates.count == 1)
                #expect(candidates.allSatisfy { token.isSigned(by: $0) })
            }
        }
    }

    @Test func theAlgorithmIsTheKeysAndNotTheTokens() throws {
        let set = try #require(JSONWebKeySet(parsing: IssuerKey.set([.rsa, .p256])))
        let rsa = try #require(set.candidates(id: "rsa-1", .rs256).first)
        let ec = try #require(set.candidates(id: "ec-1", .es256).first)
        // HS256 with the public key's bytes as its secret: the classic.
        for secret in [IssuerKey.set([.rsa]), JSONValue.object(IssuerKey.rsa.jwk).bytes] {
            let forged = try JSONWebToken(parsing: JSONWebToken.make(["sub": "boss"], secret: secret))
            #expect(!forged.isSigned(by: rsa))
            #expect(!forged.isSigned(by: ec))
        }
        for name in ["none", "None", "HS256", "RS512", "PS256", "ES384", "rs256", ""] {
            let token = try JSONWebToken(parsing: IssuerKey.rsa.token(["sub": "boss"], header: ["alg": .string(name)]))
            #expect(!token.isSigned(by: rsa), "\(name)")
            #expect(!token.isSigned(with: Array("secret".utf8)), "\(name)")
        }
        // Signed by the one, called the other's.
        let crossed = try JSONWebToken(parsing: IssuerKey.p256.token(["sub": "boss"], header: ["alg": "RS256"]))
        #expect(!crossed.isSigned(by: ec))
        #expect(!crossed.isSigned(by: rsa))
    }

    @Test(arguments: [
        "", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "e30.e30.AA", "e30=.e30.AA", "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsiYjY0Il19.e30.AA", "eyJhbGciOiJIUzI1NiIsImFsZyI6Im5vbmUifQ.e30.AA",
        "eyJhbGciOiJIUzI1NiJ9.W10.AA", "eyJhbGciOiJIUzI1NiJ9.e30.A+", "eyJhbGciOiJIUzI1NiJ9.e30.AB",
        "eyJhbGciOiJIUzI1NiIsImtpZCI6MX0.e30.AA", " eyJhbGciOiJIUzI1NiJ9.e30.AA", "eyJhbGciOjF9.e30.AA",
    ])
    func whatIsNoTokenIsRefused(_ text: String) {
        #expect(throws: JSONWebToken.Malformed.self) { try JSONWebToken(parsing: text) }
    }

    @Test func aTokenThatIsTooLongIsNotLookedAt() {
        let long = "eyJhbGciOiJIUzI1NiJ9." + String(repeating: "A", count: JSONWebToken.limit) + ".AA"
        let refused = #expect(throws: JSONWebToken.Malformed.self) { try JSONWebToken(parsing: long) }
        #expect(refused?.reason == "it is too long")
    }

    @Test func unsuitableKeysAreLeftAside() throws {
        func count(_ change: (inout JSONObject) -> Void, _ key: IssuerKey = .rsa) -> Int? {
            var jwk = key.jwk
            change(&jwk)
            let json: JSONValue = ["keys": [.object(jwk)]]
            return JSONWebKeySet(parsing: json.bytes)?.entries.count
        }
        #expect(count { _ in } == 1)
        #expect(count { $0["use"] = "enc" } == 0)
        #expect(count { $0["alg"] = "RS512" } == 0)
        #expect(count { $0["key_ops"] = ["sign"] } == 0)
        #expect(count { $0["e"] = "AQ" } == 0)
        #expect(count { $0["e"] = "AA" } == 0)
        #expect(count { $0["n"] = "AQAB" } == 0)
        #expect(count { $0["n"] = nil } == 0)
        #expect(count { $0["kty"] = "oct" } == 0)
        #expect(count({ _ in }, .p256) == 1)
        #expect(count({ $0["crv"] = "P-384" }, .p256) == 0)
        #expect(count({ $0["crv"] = "secp256k1" }, .p256) == 0)
        // A point that is not on the curve.
        #expect(count({ $0["y"] = $0["x"] }, .p256) == 0)
        #expect(count({ $0["x"] = "AQAB" }, .p256) == 0)
        let small = IssuerKey(.rsa, id: "small", bits: 1024)
        #expect(JSONWebKeySet(parsing: IssuerKey.set([small]))?.entries.count == 0)
        for text in ["", "[]", "{}", "{\"keys\":{}}", "{\"keys\":null}"] {
            #expect(JSONWebKeySet(parsing: Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test func claimsAreCheckedWithLeewayOnBothSides() throws {
        let rules = TokenRules(issuer: "i", audiences: ["a", "b"], leeway: 60_000)
        let now: Int64 = 1_800_000_000_000
        func check(_ change: (inout JSONObject) -> Void) throws(TokenRules.Problem) -> Int64 {
            var claims: JSONObject = [
                "iss": "i", "aud": "a", "exp": .integer(now / 1000 + 10), "iat": .integer(now / 1000),
            ]
            change(&claims)
            return try rules.check(claims, now: now)
        }
        #expect(try check { _ in } == now + 10_000)
        #expect(try check { $0["aud"] = ["x", "b"] } == now + 10_000)
        #expect(try check { $0["exp"] = .integer(now / 1000 - 59) } == now - 59_000)
        #expect(throws: TokenRules.Problem.expired) { try check { $0["exp"] = .integer(now / 1000 - 60) } }
        #expect(try check { $0["nbf"] = .integer(now / 1000 + 60) } == now + 10_000)
        #expect(try check { $0["exp"] = .number("1800000010.5") } == now + 10_500)
        #expect(
            try check {
                $0["aud"] = nil
                $0["client_id"] = "a"
            } == now + 10_000)
        for change: (inout JSONObject) -> Void in [
            { $0["iss"] = "j" }, { $0["iss"] = nil }, { $0["iss"] = ["i"] }, { $0["aud"] = "c" }, { $0["aud"] = nil },
            { $0["aud"] = [] }, { $0["aud"] = ["c"] }, { $0["aud"] = .integer(1) }, { $0["exp"] = nil },
            { $0["exp"] = "soon" }, { $0["exp"] = .integer(-1) }, { $0["exp"] = .number("1e300") },
            { $0["nbf"] = .integer(now / 1000 + 61) }, { $0["nbf"] = "x" }, { $0["iat"] = .integer(now / 1000 + 61) },
        ] {
            do throws(TokenRules.Problem) {
                _ = try check(change)
                Issue.record("it was taken")
            } catch {
                #expect(error != .expired)
            }
        }
    }
}
