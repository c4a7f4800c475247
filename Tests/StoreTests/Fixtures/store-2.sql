PRAGMA application_id=1111704659;
PRAGMA user_version=2;
BEGIN TRANSACTION;
CREATE TABLE "Bin"("_row" INTEGER PRIMARY KEY, "id" TEXT NOT NULL UNIQUE, "zoneID" TEXT, "code" TEXT, "place" INTEGER, "quantity" INTEGER, "shape" TEXT, "note" TEXT, "tags" TEXT, "updatedAt" INTEGER, "_version" INTEGER, "_changed" INTEGER) STRICT;
INSERT INTO "Bin" VALUES(1,'b1','z1','one',1,1500,'shelf','mine','["x"]',NULL,5,5000);
INSERT INTO "Bin" VALUES(2,'b2','z1','zwei',22,NULL,NULL,NULL,'[]',NULL,8,8000);
INSERT INTO "Bin" VALUES(4,'new','z2','new',9,125,'shelf',NULL,'["a","b"]',NULL,NULL,NULL);
CREATE TABLE "Draft"("_row" INTEGER PRIMARY KEY, "id" TEXT NOT NULL UNIQUE, "text" TEXT, "_version" INTEGER, "_changed" INTEGER) STRICT;
INSERT INTO "Draft" VALUES(1,'d','draft',NULL,NULL);
CREATE TABLE "Entry"("_row" INTEGER PRIMARY KEY, "id" TEXT NOT NULL UNIQUE, "passID" TEXT, "quantity" INTEGER, "_version" INTEGER, "_changed" INTEGER) STRICT;
INSERT INTO "Entry" VALUES(1,'e','p',4000,NULL,NULL);
CREATE TABLE "Item"("_row" INTEGER PRIMARY KEY, "id" TEXT NOT NULL UNIQUE, "text" TEXT, "_version" INTEGER, "_changed" INTEGER) STRICT;
INSERT INTO "Item" VALUES(1,'i1','item',1,1000);
CREATE TABLE "Pass"("_row" INTEGER PRIMARY KEY, "id" TEXT NOT NULL UNIQUE, "_version" INTEGER, "_changed" INTEGER) STRICT;
INSERT INTO "Pass" VALUES(1,'p',NULL,NULL);
CREATE TABLE "Zone"("_row" INTEGER PRIMARY KEY, "id" TEXT NOT NULL UNIQUE, "code" TEXT, "_version" INTEGER, "_changed" INTEGER) STRICT;
INSERT INTO "Zone" VALUES(1,'z1','A',3,3000);
INSERT INTO "Zone" VALUES(2,'z2','B',1,1000);
CREATE TABLE "_journal"("number" INTEGER PRIMARY KEY, "epoch" TEXT NOT NULL,
        "stamp" INTEGER NOT NULL, "at" INTEGER NOT NULL, "mutation" TEXT NOT NULL, "model" TEXT NOT NULL,
        "id" TEXT NOT NULL, "kind" INTEGER NOT NULL, "fields" TEXT NOT NULL, "version" INTEGER, "base" TEXT NOT NULL,
        "identity" TEXT NOT NULL, "created" INTEGER NOT NULL, "rounds" INTEGER NOT NULL, "condition" TEXT,
        "unit" INTEGER) STRICT;
CREATE TABLE "_mark"("model" TEXT PRIMARY KEY NOT NULL, "lastSync" INTEGER, "nextToken" TEXT,
"startedAt" INTEGER, "lastFullSync" INTEGER, "scope" TEXT, "epoch" TEXT) STRICT, WITHOUT ROWID;
INSERT INTO "_mark" VALUES('Bin',5,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "_mark" VALUES('Zone',6,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE "_meta"("key" TEXT PRIMARY KEY NOT NULL, "value" TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "_meta" VALUES('setting.site','N1');
INSERT INTO "_meta" VALUES('storeID','63cbe1e4-5932-4dd7-844c-3cd7f43c661c');
CREATE TABLE "_outbox"("ord" INTEGER PRIMARY KEY, "mutation" TEXT NOT NULL, "model" TEXT NOT NULL,
"id" TEXT NOT NULL, "kind" INTEGER NOT NULL, "fields" TEXT NOT NULL, "version" INTEGER, "base" TEXT NOT NULL,
"identity" TEXT NOT NULL, "created" INTEGER NOT NULL, "attempts" INTEGER NOT NULL DEFAULT 0,
"rounds" INTEGER NOT NULL DEFAULT 0, "state" INTEGER NOT NULL DEFAULT 0, "seal" INTEGER NOT NULL DEFAULT 0,
"reason" TEXT, "condition" TEXT, "tried" INTEGER) STRICT;
INSERT INTO "_outbox" VALUES(1,'e6984080-bab1-4a02-953a-eb70673e29cb','Bin','new',0,'{"id":"new","zoneID":"z2","code":"new","place":9,"quantity":0.125,"shape":"shelf","tags":["a","b"]}',NULL,'{}','ann',1800000000000,1,0,3,1,'Invalid: no',NULL,NULL);
INSERT INTO "_outbox" VALUES(2,'73d33b66-6a1e-41da-bfda-be86cbbeaa11','Pass','p',0,'{"id":"p"}',NULL,'{}','ann',1800000000000,0,0,0,0,NULL,NULL,NULL);
INSERT INTO "_outbox" VALUES(3,'77cbc4a1-33c2-40f6-93fc-d6513d02befe','Entry','e',0,'{"id":"e","passID":"p","quantity":4}',NULL,'{}','ann',1800000000000,0,0,0,0,NULL,NULL,NULL);
INSERT INTO "_outbox" VALUES(4,'225ec07a-9950-4761-a9c3-a27688795369','Bin','b1',1,'{"shape":"shelf","note":"mine"}',5,'{"shape":"rack","note":null}','ann',1800000000000,0,0,0,0,NULL,NULL,NULL);
INSERT INTO "_outbox" VALUES(5,'1a82e79b-05b5-4aeb-b5ba-4eb728dd632c','Bin','b2',1,'{"code":"zwei"}',6,'{"code":"two"}','bob',1800000000000,0,0,0,0,NULL,NULL,NULL);
INSERT INTO "_outbox" VALUES(6,'eb0354df-4a45-434e-9f0f-9924a3016430','Bin','b3',2,'{"id":"b3"}',7,'{"id":"b3","zoneID":"z2","code":"three","place":3,"tags":[]}','bob',1800000000000,0,0,0,0,NULL,NULL,NULL);
CREATE TABLE "_quarantine"("model" TEXT NOT NULL, "id" TEXT NOT NULL, "version" INTEGER NOT NULL,
"json" TEXT NOT NULL, "reason" TEXT NOT NULL, "at" INTEGER NOT NULL, PRIMARY KEY("model","id")) STRICT,
WITHOUT ROWID;
INSERT INTO "_quarantine" VALUES('Bin','q',2,'{"id":"q","code":"C","place":1,"tags":[],"shape":"cave"}','shape',1800000000000);
CREATE TABLE _schema(id INTEGER PRIMARY KEY CHECK(id=1), generation INTEGER NOT NULL, layout TEXT NOT NULL)
STRICT;
INSERT INTO "_schema" VALUES(1,1,'{"embedded":{},"enums":{"Shape":["rack","shelf"]},"models":[{"fields":[{"name":"id","required":true,"storage":"TEXT","type":"ID"},{"name":"code","required":true,"storage":"TEXT","type":"String"}],"key":["id"],"name":"Zone"},{"fields":[{"name":"id","required":true,"storage":"TEXT","type":"ID"},{"name":"zoneID","required":false,"storage":"TEXT","type":"ID"},{"name":"code","required":true,"storage":"TEXT","type":"String"},{"name":"place","required":true,"storage":"INTEGER","type":"Int"},{"name":"quantity","required":false,"storage":"INTEGER","type":"Float(3)"},{"name":"shape","required":false,"storage":"TEXT","type":"enum Shape"},{"name":"note","required":false,"storage":"TEXT","type":"String"},{"name":"tags","required":true,"storage":"TEXT","type":"[String!]"},{"name":"updatedAt","required":false,"storage":"INTEGER","type":"AWSDateTime"}],"key":["id"],"name":"Bin"},{"fields":[{"name":"id","required":true,"storage":"TEXT","type":"ID"}],"key":["id"],"name":"Pass"},{"fields":[{"name":"id","required":true,"storage":"TEXT","type":"ID"},{"name":"passID","required":true,"storage":"TEXT","type":"ID"},{"name":"quantity","required":true,"storage":"INTEGER","type":"Float(3)"}],"key":["id"],"name":"Entry"},{"fields":[{"name":"id","required":true,"storage":"TEXT","type":"ID"},{"name":"text","required":true,"storage":"TEXT","type":"String"}],"key":["id"],"name":"Draft"},{"fields":[{"name":"id","required":true,"storage":"TEXT","type":"ID"},{"name":"text","required":true,"storage":"TEXT","type":"String"}],"key":["id"],"name":"Item"}],"statements":["CREATE TABLE \"Zone\"(\"_row\" INTEGER PRIMARY KEY, \"id\" TEXT NOT NULL UNIQUE, \"code\" TEXT, \"_version\" INTEGER, \"_changed\" INTEGER) STRICT","CREATE TABLE \"Bin\"(\"_row\" INTEGER PRIMARY KEY, \"id\" TEXT NOT NULL UNIQUE, \"zoneID\" TEXT, \"code\" TEXT, \"place\" INTEGER, \"quantity\" INTEGER, \"shape\" TEXT, \"note\" TEXT, \"tags\" TEXT, \"updatedAt\" INTEGER, \"_version\" INTEGER, \"_changed\" INTEGER) STRICT","CREATE INDEX \"ix.Bin.zoneID.place\" ON \"Bin\"(\"zoneID\",\"place\",\"id\")","CREATE TABLE \"Pass\"(\"_row\" INTEGER PRIMARY KEY, \"id\" TEXT NOT NULL UNIQUE, \"_version\" INTEGER, \"_changed\" INTEGER) STRICT","CREATE TABLE \"Entry\"(\"_row\" INTEGER PRIMARY KEY, \"id\" TEXT NOT NULL UNIQUE, \"passID\" TEXT, \"quantity\" INTEGER, \"_version\" INTEGER, \"_changed\" INTEGER) STRICT","CREATE INDEX \"ix.Entry.passID\" ON \"Entry\"(\"passID\")","CREATE TABLE \"Draft\"(\"_row\" INTEGER PRIMARY KEY, \"id\" TEXT NOT NULL UNIQUE, \"text\" TEXT, \"_version\" INTEGER, \"_changed\" INTEGER) STRICT","CREATE TABLE \"Item\"(\"_row\" INTEGER PRIMARY KEY, \"id\" TEXT NOT NULL UNIQUE, \"text\" TEXT, \"_version\" INTEGER, \"_changed\" INTEGER) STRICT","CREATE TABLE IF NOT EXISTS \"_meta\"(\"key\" TEXT PRIMARY KEY NOT NULL, \"value\" TEXT NOT NULL) STRICT, WITHOUT ROWID","CREATE TABLE IF NOT EXISTS \"_sequence\"(\"name\" TEXT PRIMARY KEY NOT NULL, \"value\" INTEGER NOT NULL) STRICT, WITHOUT ROWID","CREATE TABLE IF NOT EXISTS \"_outbox\"(\"ord\" INTEGER PRIMARY KEY, \"mutation\" TEXT NOT NULL, \"model\" TEXT NOT NULL,\n\"id\" TEXT NOT NULL, \"kind\" INTEGER NOT NULL, \"fields\" TEXT NOT NULL, \"version\" INTEGER, \"base\" TEXT NOT NULL,\n\"identity\" TEXT NOT NULL, \"created\" INTEGER NOT NULL, \"attempts\" INTEGER NOT NULL DEFAULT 0,\n\"rounds\" INTEGER NOT NULL DEFAULT 0, \"state\" INTEGER NOT NULL DEFAULT 0, \"seal\" INTEGER NOT NULL DEFAULT 0,\n\"reason\" TEXT) STRICT","CREATE UNIQUE INDEX IF NOT EXISTS \"_outbox.record\" ON \"_outbox\"(\"model\",\"id\",\"seal\")","CREATE INDEX IF NOT EXISTS \"_outbox.lane\" ON \"_outbox\"(\"identity\",\"ord\") WHERE \"state\"<2","CREATE INDEX IF NOT EXISTS \"_outbox.held\" ON \"_outbox\"(\"state\",\"ord\") WHERE \"state\">=2","CREATE TABLE IF NOT EXISTS \"_shadow\"(\"model\" TEXT NOT NULL, \"id\" TEXT NOT NULL, \"version\" INTEGER NOT NULL,\n\"changed\" INTEGER NOT NULL, \"deleted\" INTEGER NOT NULL, \"fields\" TEXT NOT NULL,\nPRIMARY KEY(\"model\",\"id\")) STRICT, WITHOUT ROWID","CREATE TABLE IF NOT EXISTS \"_tombstone\"(\"model\" TEXT NOT NULL, \"id\" TEXT NOT NULL, \"version\" INTEGER NOT NULL,\n\"changed\" INTEGER NOT NULL, PRIMARY KEY(\"model\",\"id\")) STRICT, WITHOUT ROWID","CREATE TABLE IF NOT EXISTS \"_quarantine\"(\"model\" TEXT NOT NULL, \"id\" TEXT NOT NULL, \"version\" INTEGER NOT NULL,\n\"json\" TEXT NOT NULL, \"reason\" TEXT NOT NULL, \"at\" INTEGER NOT NULL, PRIMARY KEY(\"model\",\"id\")) STRICT,\nWITHOUT ROWID","CREATE TABLE IF NOT EXISTS \"_mark\"(\"model\" TEXT PRIMARY KEY NOT NULL, \"lastSync\" INTEGER, \"nextToken\" TEXT,\n\"startedAt\" INTEGER, \"lastFullSync\" INTEGER, \"scope\" TEXT, \"epoch\" TEXT) STRICT, WITHOUT ROWID"]}');
CREATE TABLE "_sequence"("name" TEXT PRIMARY KEY NOT NULL, "value" INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "_sequence" VALUES('entry',1);
CREATE TABLE "_shadow"("model" TEXT NOT NULL, "id" TEXT NOT NULL, "version" INTEGER NOT NULL,
"changed" INTEGER NOT NULL, "deleted" INTEGER NOT NULL, "fields" TEXT NOT NULL,
PRIMARY KEY("model","id")) STRICT, WITHOUT ROWID;
INSERT INTO "_shadow" VALUES('Bin','b2',8,8000,0,'{"id":"b2","zoneID":"z1","code":"deux","place":22,"tags":[]}');
CREATE TABLE "_tombstone"("model" TEXT NOT NULL, "id" TEXT NOT NULL, "version" INTEGER NOT NULL,
"changed" INTEGER NOT NULL, PRIMARY KEY("model","id")) STRICT, WITHOUT ROWID;
INSERT INTO "_tombstone" VALUES('Zone','gone',2,2000);
CREATE TABLE "_unit"("ord" INTEGER PRIMARY KEY, "unit" INTEGER NOT NULL) STRICT;
CREATE INDEX "ix.Bin.zoneID.place" ON "Bin"("zoneID","place","id");
CREATE INDEX "ix.Entry.passID" ON "Entry"("passID");
CREATE UNIQUE INDEX "_outbox.record" ON "_outbox"("model","id","seal");
CREATE INDEX "_outbox.lane" ON "_outbox"("identity","ord") WHERE "state"<2;
CREATE INDEX "_outbox.held" ON "_outbox"("state","ord") WHERE "state">=2;
CREATE INDEX "_unit.unit" ON "_unit"("unit","ord");
COMMIT;