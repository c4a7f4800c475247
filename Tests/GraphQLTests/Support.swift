import Basics
import Glibc
import GraphQL
import Models

/// A file beside the tests or in the package.
func file(_ path: String, from here: String = #filePath) throws -> String {
    var folder = here.split(separator: "/").dropLast()
    for part in path.split(separator: "/") {
        if part == ".." { folder.removeLast() } else { folder.append(part) }
    }
    let name = "/" + folder.joined(separator: "/")
    guard let stream = fopen(name, "r") else { throw Missing(name: name) }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&buffer, 1, buffer.count, stream), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
}

struct Missing: Error {
    let name: String
}

/// The places and messages of a schema's mistakes.
func mistakes(_ sdl: String) -> [String] {
    do throws(SchemaMistakes) {
        _ = try Schema(sdl: sdl)
        return []
    } catch {
        return error.mistakes.map(\.description)
    }
}

/// Every kind of definition, value and selection.
let kitchenSink = """
    # An executable document.
    query Named($id: ID! = "x", $list: [Int!]! = [1, 2], $object: In = {a: {b: -1.5e3}}, $flag: Boolean @why(x: 1)) @live {
      node: getNode(id: $id, flags: [true, false, null], kind: BIG, text: "a \\"b\\" \\u00e9 \\n", n: -0, f: 1.0E+2) @include(if: $flag) {
        id
        ...Parts @skip(if: false)
        ... on User { name }
        ... @include(if: true) { id }
        ... { nothing }
      }
    }
    mutation ($input: In!) { save(input: $input) { ok } }
    subscription Watch { changed(filter: {and: [{a: {eq: \"\"\"
        block
          text \\\"\"\" here
        \"\"\"}}]}) { id } }
    { anonymous }
    fragment Parts on Node @cached(ttl: 5) { a b: c }

    "The schema."
    schema @x { query: Query mutation: Mutation subscription: Subscription }
    extend schema @y { query: Query }
    extend schema @z
    "A date."
    scalar Date @specifiedBy(url: "https://example.com")
    extend scalar Date @x
    \"\"\"
    A type.

      Indented.
    \"\"\"
    type User implements Node & Named @key(fields: "id") {
      "The id."
      id: ID!
      list("How many." first: Int = 10 @x, after: String): [[User!]!]! @deprecated(reason: "old")
    }
    type Lead implements & Node
    extend type User { extra: Int }
    interface Node implements Base { id: ID! }
    extend interface Node @x
    union Any @x = | User | Node
    union None
    extend union Any = Lead
    enum Size @x { "Small." S @deprecated M on type query input }
    extend enum Size { L }
    input In @x { a: In b: Float = 1.5 @x c: [Int] = [1] }
    extend input In { d: Int }
    "A directive."
    directive @why("What." x: Int = 1, y: In) repeatable on | FIELD | VARIABLE_DEFINITION
    directive @plain on OBJECT
    """
