import Testing

@testable import GraphQL

@Suite("Every mistake in a model schema is named at its place")
struct SchemaMistakeTests {
    @Test(arguments: [
        // Types and names
        Broken("type A @model { b: Strin }", "1:20", "unknown type Strin"),
        Broken("type A @model { b: [[Int]] }", "1:20", "field b: a list of lists is not possible"),
        Broken("type A @model { b: Int B: Int }", "1:24", "field B differs from b only in upper and lower case"),
        Broken("type A @model { b: Int b: Int }", "1:24", "type A has the field b twice"),
        Broken("type A @model { b: Int }\ntype A @model { b: Int }", "2:6", "type A is there twice"),
        Broken(
            "type Ab @model { b: Int }\ntype aB @model { b: Int }", "2:6",
            "type aB differs from Ab only in upper and lower case"),
        Broken("type A @model { _b: Int }", "1:17", "field _b: names beginning with _ are reserved"),
        Broken("type AWSThing @model { b: Int }", "1:6", "type AWSThing: names beginning with AWS are reserved"),
        Broken(
            "type A @model(timestamps: {createdAt: \"made at\"}) { b: Int }", "1:39",
            "timestamps: \"made at\" cannot be a field's name"),
        Broken(
            "type A @model(timestamps: {createdAt: \"Made\"}) { made: Int }", "1:50",
            "A gets a field Made, which differs from made only in upper and lower case"),
        Broken(
            "type A @model { id: B @hasOne } type B @model { b: Int }", "1:17",
            "relation id: A gets a field of this name, for its key, its owner or another relation; choose another name"),
        Broken(
            "type A @model { createdat: Int }", "1:17",
            "A gets a field createdAt, which differs from createdat only in upper and lower case"),
        Broken(
            "type A @model { ID: Int }", "1:17", "A gets a field ID, which differs from id only in upper and lower case"
        ),
        Broken(
            "type Post @model { comments: [Comment] @hasMany } type Comment @model { postCommentsId: Int }", "1:40",
            "@hasMany: Comment.postCommentsId does not have the type of Post.id"),
        Broken(
            "type Post @model { comments: [Comment] @hasMany } type Comment @model { postCommentsId: Post @belongsTo }",
            "1:73",
            "relation postCommentsId: Comment gets a field of this name, for its key, its owner or another relation; choose "
                + "another name"),
        Broken("type sqlite_a @model { b: Int }", "1:6", "type sqlite_a: names beginning with sqlite_ are reserved"),
        Broken(
            "type A @model { b: Int @default(value: \" 5 \") }", "1:24",
            "\" 5 \" is no Int, as @default of b needs"),
        Broken("type __A @model { b: Int }", "1:6", "type __A: names beginning with _ are reserved"),
        Broken("type A @model { b: E } enum E { _x }", "1:33", "enum value _x: names beginning with _ are reserved"),
        Broken("type A @model { b: Int } type String { c: Int }", "1:31", "String is a name of GraphQL"),
        Broken(
            "type A @model { b: Int } type Query { c: Int @function(name: \"f\") }", "1:31",
            "a model schema has no type Query: the models make it, and nothing would answer what is added"),
        Broken("type A @model { b(c: Int): Int }", "1:19", "a field takes no arguments here"),
        Broken("type A @model", "1:6", "model A has no fields"),
        Broken("type A @model { b: B } type B", "1:29", "type B has no fields"),
        Broken("type A @model { b: E } enum E", "1:29", "enum E has no values"),
        Broken("type A @model { b: E } enum E { x y x }", "1:37", "enum E has x twice"),
        Broken("enum E { x }", "1:1", "the schema has no type with @model"),
        Broken("type A @model { b: Int } scalar S", "1:26", "a model schema has no scalar types, only types and enums"),
        Broken(
            "type A @model { b: Int } interface I { c: Int }", "1:26",
            "a model schema has no interface types, only types and enums"),
        Broken(
            "type A @model { b: Int } union U = A", "1:26", "a model schema has no union types, only types and enums"),
        Broken(
            "type A @model { b: Int } input I { c: Int }", "1:26",
            "a model schema has no input types, only types and enums"),
        Broken("type A @model { b: Int } query { a }", "1:26", "a model schema holds types and enums only"),
        Broken("type A @model { b: Int } directive @x on FIELD", "1:26", "a model schema holds types and enums only"),
        Broken(
            "type A @model { b: Int } extend type A { c: Int }", "1:26",
            "extensions are not used in a model schema: write the field into A"),
        Broken("type A implements I @model { b: Int }", "1:19", "a model schema has no interfaces"),
        Broken(
            "type A @model { b: B } type B { c: [C] d: B } type C { b: B }", "1:29",
            "type B contains itself; only a list may"),
        Broken("type A @model { b: B } type B { a: A }", "1:36", "an embedded type cannot hold the model A"),
        // Directives
        Broken("type A @model @modle { b: Int }", "1:15", "unknown directive @modle"),
        Broken(
            "type A @model { b: Int @validate(type: GT, value: \"0\") }", "1:24",
            "@validate is not possible: nothing here checks values so; a function before the mutation can "
                + "(bincount hub --before)"),
        Broken(
            "type A @model { b: String @http(url: \"https://x.y\") }", "1:27",
            "@http is not possible: the hub asks no other server for a field; let the app ask it"),
        Broken(
            "type A @model { b: String @predictions(actions: [translateText]) }", "1:27",
            "@predictions is not possible: the hub has no such services; let the app ask them"),
        Broken(
            "type A @model @key(fields: [\"b\"]) { b: ID }", "1:15",
            "@key is not possible: it is of Amplify's first transformer; write @primaryKey or @index"),
        Broken("type A @model @mapsTo { b: Int }", "1:15", "@mapsTo needs the argument name"),
        Broken("type A @model { b: Int @searchable }", "1:24", "@searchable belongs on a @model type"),
        Broken(
            "type A @model { b: Int @manyToMany }", "1:24",
            "@manyToMany needs the argument relationName, which names its join model"),
        Broken("type A @model @model { b: Int }", "1:15", "@model stands here twice"),
        Broken(
            "type A @model { b: Int @default(value: \"1\") @default(value: \"1\") }", "1:45",
            "@default stands here twice"),
        Broken("type A @model @primaryKey { b: Int }", "1:15", "@primaryKey belongs on a model's field"),
        Broken("type A @model { b: Int @model }", "1:24", "@model belongs on a @model type"),
        Broken("type A @model { b: Int @auth(rules: []) }", "1:24", "@auth without rules lets nobody in"),
        Broken(
            "type A @model { id: ID! @auth(rules: [{ allow: private }]) }", "1:25",
            "@auth belongs on a stored field that is no key, and id is none"),
        Broken(
            """
            type A @model { bs: [B] @hasMany @auth(rules: [{ allow: private }]) }
            type B @model { c: Int }
            """, "1:34",
            "bs is a relation, which shows what its records' own rights let through; put the rules on B, or on its aBsId"
        ),
        Broken(
            """
            type A @model { bID: ID b: B @belongsTo(fields: ["bID"]) @auth(rules: [{ allow: private }]) }
            type B @model { c: Int }
            """, "1:58",
            "b is a relation, which shows what its records' own rights let through; put the rules on its key bID, or on B"
        ),
        Broken(
            "type A @model { b: B } type B { c: Int @auth(rules: [{ allow: private }]) }", "1:40",
            "@auth belongs on a field of a @model type"),
        Broken(
            "type A @model @auth(rules: [{ allow: private }]) { b: Int! @auth(rules: [{ allow: private, operations: [update] }]) }",
            "1:60",
            "b is required, so that its @auth must let those read it who read A; make it optional, or put it into a "
                + "model of its own"),
        Broken(
            "type A @model @auth(rules: [{ allow: groups, groups: [\"x\", \"y\"] }]) { b: Int! @auth(rules: [{ allow: groups, groups: [\"x\"] }]) }",
            "1:79",
            "b is required, so that its @auth must let those read it who read A; make it optional, or put it into a "
                + "model of its own"),
        Broken(
            "type A @model @auth(rules: [{ allow: public, provider: userPools }]) { b: Int }", "1:56",
            "allow: public goes with apiKey, iam, identityPool"),
        Broken(
            "type A @model @auth(rules: [{ allow: owner, provider: apiKey }]) { b: Int }", "1:55",
            "allow: owner goes with userPools, oidc"),
        Broken(
            "type A @model { b: B } type B @sync(policy: NONE) { c: Int }", "1:31",
            "@sync needs @model beside it: B is an embedded type"),
        Broken("type A @model { b: B } type B { c: Int @index }", "1:40", "@index belongs on a field of a @model type"),
        Broken("type A @model { b: E } enum E @model { x }", "1:31", "an enum takes no directive"),
        Broken(
            "type A @model { b: E } enum E { x @index }", "1:35", "an enum value takes no directive but @deprecated"),
        Broken("type A @model(querys: null) { b: Int }", "1:15", "@model has no argument querys"),
        Broken("type A @model { b: Int @default }", "1:24", "@default needs the argument value"),
        Broken("type A @model @sync { b: Int }", "1:15", "@sync needs the argument policy"),
        Broken(
            "type A @model @sync(policy: UP) { b: Int }", "1:29",
            "@sync(policy:) takes one of NONE, UPSTREAM, DOWNSTREAM, BOTH"),
        Broken(
            "type A @model @sync(policy: \"BOTH\") { b: Int }", "1:29",
            "@sync(policy:) takes one of NONE, UPSTREAM, DOWNSTREAM, BOTH"),
        Broken(
            "type A @model @conflict(strategy: MERGE) { b: Int }", "1:35",
            "@conflict(strategy:) takes one of AUTOMERGE, OPTIMISTIC_CONCURRENCY, LAMBDA"),
        Broken("type A @model @sync(policy: NONE, policy: NONE) { b: Int }", "1:35", "argument policy is given twice"),
        Broken("type A @model { b: Int @index(name: 1) }", "1:37", "@index(name:) takes a string"),
        Broken(
            "type A @model { b: Int @index(sortKeyFields: [c]) }", "1:46",
            "@index(sortKeyFields:) takes a list of strings"),
        Broken("type A @model(timestamps: true) { b: Int }", "1:27", "@model(timestamps:) takes an object"),
        Broken(
            "type A @model(timestamps: { madeAt: \"x\" }) { b: Int }", "1:29",
            "timestamps has createdAt and updatedAt only"),
        Broken(
            "type A @model(timestamps: { createdAt: 1 }) { b: Int }", "1:40", "a timestamp's name is a string or null"),
        // Scalars
        Broken("type A @model { b: Int @decimal(places: 3) }", "1:24", "@decimal needs a Float, and b is Int"),
        Broken("type A @model { b: Float @decimal(places: 2) }", "1:43", "@decimal has 3 or 4 places, not 2"),
        Broken("type A @model { b: Float @decimal(places: \"3\") }", "1:43", "@decimal(places:) takes an integer"),
        Broken("type A @model { b: Float @decimal }", "1:26", "@decimal needs the argument places"),
        Broken("type A @model { b: Int @default(value: \"x\") }", "1:24", "\"x\" is no Int, as @default of b needs"),
        Broken(
            "type A @model { b: Int @default(value: \"3000000000\") }", "1:24",
            "\"3000000000\" is no Int, as @default of b needs"),
        Broken(
            "type A @model { b: E @default(value: \"z\") } enum E { x }", "1:22",
            "\"z\" is no E, as @default of b needs"),
        Broken(
            "type A @model { b: Float @decimal(places: 3) @default(value: \"0.0001\") }", "1:46",
            "\"0.0001\" is no Float, as @default of b needs"),
        Broken(
            "type A @model { b: AWSDate @default(value: \"2026-02-30\") }", "1:28",
            "\"2026-02-30\" is no AWSDate, as @default of b needs"),
        Broken("type A @model { b: [Int] @default(value: \"1\") }", "1:26", "@default is not possible on a list"),
        // Keys and indexes
        Broken("type A @model { id: ID b: Int }", "1:17", "the key id must be ID!"),
        Broken("type A @model { id: Int! b: Int }", "1:17", "the key id must be ID!"),
        Broken("type A @model { b: Int @primaryKey }", "1:24", "@primaryKey: b must be required (!)"),
        Broken("type A @model { b: [Int!]! @primaryKey }", "1:28", "@primaryKey: b is no single value"),
        Broken("type A @model { b: AWSJSON! @primaryKey }", "1:29", "@primaryKey: b is no single value"),
        Broken("type A @model { b: Int! @primaryKey c: Int! @primaryKey }", "1:45", "model A has @primaryKey twice"),
        Broken(
            "type A @model { b: Int! @primaryKey(sortKeyFields: [\"c\"]) }", "1:25",
            "@primaryKey names c, which A does not have"),
        Broken("type A @model { b: Int! @primaryKey(sortKeyFields: [\"b\"]) }", "1:25", "@primaryKey names b twice"),
        Broken(
            "type A @model { b: Int @index(sortKeyFields: [\"c\"]) }", "1:24", "@index names c, which A does not have"),
        Broken(
            "type A @model { b: Int @index(name: \"x\") c: Int @index(name: \"x\") }", "1:49",
            "model A has the index x twice"),
        Broken("type A @model { b: Int @index(queryField: \"\") }", "1:24", "queryField is a name, or null"),
        Broken("type A @model { b: Int @index(queryField: \"a b\") }", "1:24", "queryField is a name, or null"),
        Broken(
            "type A @model { b: Int @index(queryField: \"x\") c: Int @index(queryField: \"x\") }", "1:55",
            "the query field x is there twice"),
        Broken("type A @model { b: [Int] @index }", "1:26", "@index: b is no single value"),
        Broken("type A @model { b: B @index } type B { c: Int }", "1:22", "@index: b is no single value"),
        // Relations
        Broken(
            "type A @model { b: B } type B @model { c: Int }", "1:20",
            "B is a model: field b needs @belongsTo, @hasOne or @hasMany"),
        Broken(
            "type A @model { b: B @belongsTo } type B { c: Int }", "1:22", "@belongsTo needs a model, and B is none"),
        Broken("type A @model { b: Int @hasMany }", "1:24", "@hasMany needs a model, and Int is none"),
        Broken("type A @model { b: B @hasMany } type B @model { c: Int }", "1:20", "@hasMany needs a list: [B]"),
        Broken(
            "type A @model { b: [B] @belongsTo } type B @model { c: Int }", "1:20",
            "@belongsTo needs a single B, no list"),
        Broken(
            "type A @model { b: B @hasOne @belongsTo } type B @model { c: Int }", "1:30", "field b has two relations"),
        Broken(
            "type A @model { b: B @belongsTo(fields: [\"x\"]) } type B @model { c: Int }", "1:22",
            "@belongsTo names x, which A does not have"),
        Broken(
            "type A @model { x: Int b: B @belongsTo(fields: [\"x\"]) } type B @model { c: Int }", "1:29",
            "@belongsTo: A.x does not have the type of B.id"),
        Broken(
            "type A @model { x: [ID] b: B @belongsTo(fields: [\"x\"]) } type B @model { c: Int }", "1:30",
            "@belongsTo: A.x does not have the type of B.id"),
        Broken(
            "type A @model { x: ID y: ID b: B @belongsTo(fields: [\"x\", \"y\"]) } type B @model { c: Int }", "1:34",
            "@belongsTo names 2 fields, the key of B has 1: id"),
        Broken(
            "type A @model { x: ID b: B @belongsTo(fields: [\"x\"]) } type B @model { c: ID! @primaryKey(sortKeyFields: [\"d\"]) d: Int! }",
            "1:28", "@belongsTo names 1 field, the key of B has 2: c, d"),
        Broken(
            "type A @model { b: [B] @hasMany(indexName: \"x\", fields: [\"id\"]) } type B @model { c: Int }", "1:24",
            "B has no @index(name: \"x\")"),
        Broken(
            "type A @model { b: [B] @hasMany(fields: [\"x\"]) } type B @model { c: Int }", "1:24",
            "@hasMany(fields:) names the key of A, which is id"),
        Broken(
            "type A @model { b: [B] @hasMany(references: [\"x\"]) } type B @model { c: Int }", "1:24",
            "@hasMany names x, which B does not have"),
        Broken(
            "type A @model { b: B @belongsTo @default(value: \"x\") } type B @model { c: Int }", "1:33",
            "@default cannot stand on a relation"),
        Broken(
            "type A @model { b: B @belongsTo @index } type B @model { c: Int }", "1:33",
            "@index cannot stand on a relation"),
        Broken(
            "type A @model { x: ID b: B @belongsTo(fields: [\"x\"], references: [\"x\"]) } type B @model { c: Int }",
            "1:28",
            "@belongsTo has fields or references, not both"),
        Broken(
            "type A @model { b: B @hasOne(references: [\"x\"]) } type B @model { c: Int }", "1:22",
            "@hasOne names x, which B does not have"),
        Broken(
            "type A @model { b: [B] @hasMany(references: [\"x\"], limit: 0) } type B @model { x: ID }", "1:59",
            "@hasMany(limit:) is at least 1"),
        Broken(
            "type A @model { b: Int @index(projection: KEYS_ONLY) }", "1:43",
            "@index(projection:) takes an object: { type: ALL }"),
        Broken(
            "type A @model { b: Int @index(projection: { type: SOME }) }", "1:51",
            "a projection's type is one of ALL, KEYS_ONLY, INCLUDE"),
        Broken(
            "type A @model { b: Int @index(projection: { keys: [] }) }", "1:45",
            "a projection has type and nonKeyAttributes only"),
        Broken(
            "type A @model { b: Int @index(projection: { type: INCLUDE, nonKeyAttributes: [c] }) }", "1:78",
            "nonKeyAttributes is a list of fields' names"),
        // The global rule
        Broken(
            "input AMPLIFY { engine: String = \"mysql\" } type A @model { b: Int }", "1:17",
            "input AMPLIFY has globalAuthRule only, and no engine"),
        Broken(
            "input AMPLIFY { globalAuthRule: AuthRule = { allow: private } } type A @model { b: Int }", "1:17",
            "globalAuthRule is AuthRule = { allow: public } and nothing else, as at Amplify; rules that give less belong "
                + "on the models"),
        Broken(
            "input AMPLIFY { globalAuthRule: AuthRule = { allow: public, operations: [read] } } type A @model { b: Int }",
            "1:17",
            "globalAuthRule is AuthRule = { allow: public } and nothing else, as at Amplify; rules that give less belong "
                + "on the models"),
        Broken(
            "input AMPLIFY { globalAuthRule: AuthRule } type A @model { b: Int }", "1:17",
            "globalAuthRule is AuthRule = { allow: public } and nothing else, as at Amplify; rules that give less belong "
                + "on the models"),
        Broken(
            "type A @model { b: AMPLIFY } input AMPLIFY { globalAuthRule: AuthRule = { allow: public } }", "1:20",
            "unknown type AMPLIFY"),
        // Rights
        Broken("type A @model @auth(rules: []) { b: Int }", "1:15", "@auth without rules lets nobody in"),
        Broken("type A @model @auth(rules: [owner]) { b: Int }", "1:29", "a rule is an object: { allow: … }"),
        Broken("type A @model @auth(rules: [{}]) { b: Int }", "1:29", "a rule needs allow"),
        Broken(
            "type A @model @auth(rules: [{ allow: all }]) { b: Int }", "1:38",
            "allow is one of owner, groups, private, public, custom"),
        Broken(
            "type A @model @auth(rules: [{ allow: owner, ownerFeld: \"b\" }]) { b: ID }", "1:45",
            "a rule has no ownerFeld"),
        Broken(
            "type A @model @auth(rules: [{ allow: groups, groupsField: \"c\" }]) { b: ID }", "1:59",
            "groupsField names c, which A does not have"),
        Broken(
            "type A @model @auth(rules: [{ allow: owner, ownerField: \"c d\" }]) { b: ID }", "1:57",
            "ownerField: \"c d\" cannot be a field's name"),
        Broken(
            "type A @model @auth(rules: [{ allow: owner, ownerField: \"B\" }]) { b: ID }", "1:57",
            "ownerField: B differs from b only in upper and lower case"),
        Broken(
            "type A @model @auth(rules: [{ allow: owner, ownerField: \"a\" }]) { a: A @belongsTo }", "1:57",
            "ownerField: a is a relation; name the field that holds the owner"),
        Broken(
            "type A @model @auth(rules: [{ allow: owner, ownerField: \"b\" }]) { b: Int }", "1:57",
            "ownerField: b must be ID or String, or a list of them"),
        Broken(
            "type A @model @auth(rules: [{ allow: groups }]) { b: Int }", "1:29",
            "a groups rule needs groups or groupsField"),
        Broken(
            "type A @model @auth(rules: [{ allow: groups, groupsField: \"c\" }]) { b: Int }", "1:59",
            "groupsField names c, which A does not have"),
        Broken(
            "type A @model @auth(rules: [{ allow: groups, groups: 1 }]) { b: Int }", "1:54", "groups is a list of names"
        ),
        Broken(
            "type A @model @auth(rules: [{ allow: groups, groups: [\"x\"], groupsField: \"b\" }]) { b: ID }", "1:74",
            "a rule has groups or groupsField, not both"),
        Broken(
            "type A @model @auth(rules: [{ allow: private, ownerField: \"b\" }]) { b: ID }", "1:59",
            "ownerField belongs to allow: owner"),
        Broken(
            "type A @model @auth(rules: [{ allow: owner, groups: [\"b\"] }]) { b: ID }", "1:53",
            "groups belongs to allow: groups"),
        Broken(
            "type A @model @auth(rules: [{ allow: private, operations: [write] }]) { b: ID }", "1:60",
            "an operation is one of create, update, delete, read, get, list, sync, listen, search"),
        Broken(
            "type A @model @auth(rules: [{ allow: private, operations: [] }]) { b: ID }", "1:59",
            "operations is a list such as [create, read]"),
        Broken(
            "type A @model @auth(rules: [{ allow: private, provider: ldap }]) { b: ID }", "1:57",
            "provider is one of apiKey, function, iam, identityPool, oidc, userPools"),
        Broken(
            "type A @model @auth(rules: [{ allow: private, allow: private }]) { b: ID }", "1:47", "allow is given twice"
        ),
        Broken(
            "type A @model @auth(rules: [{ allow: owner, identityClaim: 1 }]) { b: ID }", "1:60",
            "identityClaim is a string"),
        Broken("type A @model @auth { b: Int }", "1:15", "@auth needs the argument rules"),
        Broken("type A @model @auth(rules: {}) { b: Int }", "1:28", "@auth(rules:) takes a list of rules"),
        // Syntax
        Broken("type A @model { b }", "1:19", "expected ':', found '}'"),
    ])
    func aMistakeIsFound(broken: Broken) {
        #expect(mistakes(broken.text) == ["\(broken.place): \(broken.message)"])
    }

    @Test func severalMistakesAreToldAtOnceInTheOrderOfTheText() {
        let sdl = """
            type A @model @sync(policy: UP) {
              b: Strin
              c: Int @decimal(places: 3)
              d: B
            }
            type B @model @auth(rules: [{ allow: groups, groupsField: "who" }]) {
              e: Int @index(sortKeyFields: ["f"])
            }
            """
        #expect(
            mistakes(sdl) == [
                "1:29: @sync(policy:) takes one of NONE, UPSTREAM, DOWNSTREAM, BOTH", "2:6: unknown type Strin",
                "3:10: @decimal needs a Float, and c is Int",
                "4:6: B is a model: field d needs @belongsTo, @hasOne or @hasMany",
                "6:59: groupsField names who, which B does not have", "7:10: @index names f, which B does not have",
            ])
    }

    @Test func oneMistakeIsNotToldTwice() {
        #expect(mistakes("type A @model { id: Strin! b: Int }") == ["1:21: unknown type Strin"])
        #expect(mistakes("type A @model { b: Strin! @primaryKey }") == ["1:20: unknown type Strin"])
        #expect(mistakes("type A @model { b: Strin @index }") == ["1:20: unknown type Strin"])
    }
}
