/* Rows to products, variants and order lines, for each layout. */
#include "unit.h"

#include <string.h>

#include "shop/map.h"
#include "shop/order.h"

static char dump[65536];
static struct report report;

static void
note(const char *s)
{
	size_t n = strlen(dump);

	snprintf(dump + n, sizeof(dump) - n, "%s", s);
}

static void
on_bad(void *arg, const struct report_row *r)
{
	char line[700];

	(void)arg;
	snprintf(line, sizeof(line), "BAD %lld %s: %s\n", (long long)r->line, r->column, r->reason);
	note(line);
}

static const char *const field_names[F__MAX] = { "sku", "parent", "name", "lang", "slug", "brand", "colour", "category", "description", "price",
	"sale", "currency", "stock", "featured", "status", "rating", "ratings", "names", "colours", "descriptions", "images", "attributes",
	"options", "position" };

/* Items as lines "P sku=A name=Lamp ...": only what the file speaks of; an empty value as "name=". */
static const char *
mapped(const char *text, const char *locale)
{
	struct row_source *s = source_open_mem(text, strlen(text), FORMAT_AUTO);
	struct map_options opt = { .currency = "EUR", .decimal = value_decimal(locale) };
	struct item i;
	enum map_got got;
	struct map *m;
	int f;

	dump[0] = '\0';
	memset(&report, 0, sizeof(report));
	report.on_bad = on_bad;
	memcpy(opt.locale, locale, 3);
	m = map_open(s, &opt, &report);
	while ((got = map_next(m, &i)) == MAP_ITEM) {
		note(i.variant ? "V" : "P");
		for (f = 0; f < F__MAX; f++) {
			if ((i.has & FIELD_BIT(f)) == 0)
				continue;
			note(" ");
			note(field_names[f]);
			note("=");
			if (i.v[f] != NULL)
				ck_assert_uint_eq(strlen(i.v[f]) >= i.n[f], 1);
			char value[4096];

			snprintf(value, sizeof(value), "%.*s", (int)i.n[f], i.v[f] != NULL ? i.v[f] : "");
			note(value);
		}
		note("\n");
	}
	if (got == MAP_FAIL) {
		note("FAIL ");
		note(s->why);
	}
	map_close(m);
	source_close(s);
	report_release(&report);
	return dump;
}

START_TEST(own_columns_have_many_names)
{
	ck_assert_str_eq(mapped("SKU,Name,Price\nA,Lamp,12.50\n", "fr"), "P sku=A name=Lamp price=1250\n");
	ck_assert_str_eq(mapped("R\xc3\xa9" "f;Nom;Prix;Marque;Couleur;Cat\xc3\xa9gorie;Stock\nA;Lampe;1 299,00;Nova;rouge;Luminaires>Suspensions;3\n", "fr"),
	    "P sku=A name=Lampe brand=Nova colour=rouge category=Luminaires > Suspensions price=129900 stock=3\n");
	ck_assert_str_eq(mapped("id\ttitle\tprice\tavailability\nX1\tLamp\t19.90 EUR\tin stock\n", "en"),
	    "P sku=X1 name=Lamp price=1990 currency=EUR stock=100\n");
}
END_TEST

START_TEST(own_texts_have_languages)
{
	ck_assert_str_eq(mapped("sku,name,name_en,description_de\nA,Lampe,Lamp,\n", "fr"),
	    "P sku=A name=Lampe names={\"en\":\"Lamp\"} descriptions={\"de\":null}\n");
	ck_assert_str_eq(mapped("sku,name_fr,name_en\nA,Lampe,Lamp\n", "fr"), "P sku=A name=Lampe names={\"en\":\"Lamp\"}\n");
	ck_assert_str_eq(mapped("sku,lang,name_fr,name_en\nA,en,Lampe,Lamp\n", "fr"), "P sku=A name=Lamp lang=en names={\"fr\":\"Lampe\"}\n");
}
END_TEST

START_TEST(own_values_are_checked)
{
	ck_assert_str_eq(mapped("sku,name,price,stock,rating,featured,status,images\n"
	    "A,x,abc,1,4,1,active,\nB,x,1,1.5,4,1,active,\nC,x,1,1,6,1,active,\nD,x,1,1,4,maybe,active,\nE,x,1,1,4,1,sold,\n"
	    "F,x,1,1,4,1,active,ftp://x\n,x,1,1,4,1,active,\nG,,1,1,4,1,active,\nH,x,-1,1,4,1,active,\nI,x,1,1,4,1,draft,\n", "en"),
	    "BAD 2 price: is not an amount\nBAD 3 stock: is not a whole number\nBAD 4 rating: is not a rating from 0 to 5\n"
	    "BAD 5 featured: is neither yes nor no\nBAD 6 status: is not a status such as active or deleted\n"
	    "BAD 7 images: is not a list of web addresses (http, https, or /path)\nBAD 8 sku: is missing\nBAD 9 name: is missing\n"
	    "BAD 10 price: must not be negative\n"
	    "P sku=I name=x price=100 stock=1 featured=t status=deleted rating=4.00 images=[]\n");
	ck_assert_str_eq(mapped("sku,name,price,currency\nA,x,5,EURO\nB,x,5 $,EUR\nC,x,500,JPY\n", "en"),
	    "BAD 2 currency: is not a currency such as EUR\nBAD 3 price: is in USD, but the product's currency is EUR\n"
	    "P sku=C name=x price=500 currency=JPY\n");
	ck_assert_str_eq(mapped("sku,name,price,sale price\nA,x,5,4\nB,x,5,5\nC,x,5,5.01\nD,x,,3\n", "en"),
	    "P sku=A name=x price=500 sale=400\nP sku=B name=x price=500 sale=\nBAD 4 sale price: is above the price\n"
	    "P sku=D name=x price= sale=300\n");
}
END_TEST

START_TEST(columns_without_a_meaning_are_told)
{
	static const char text[] = "id,sku,name,Name,prise,name_en,name_xx9\nA,B,x,y,5,z,q\n";
	struct row_source *s = source_open_mem(text, sizeof(text) - 1, FORMAT_AUTO);
	struct map_options opt = { .currency = "EUR", .locale = "fr" };
	struct item i;
	struct map *m;
	char names[40], few[20];

	memset(&report, 0, sizeof(report));
	m = map_open(s, &opt, &report);
	ck_assert_int_eq(map_next(m, &i), MAP_ITEM);
	map_unused(m, names, sizeof(names));
	ck_assert_str_eq(names, "id, Name, prise, name_xx9");
	map_unused(m, few, sizeof(few));
	ck_assert_str_eq(few, "id, Name, ...");
	map_close(m);
	source_close(s);
}
END_TEST

START_TEST(empty_and_absent_differ)
{
	ck_assert_str_eq(mapped("sku,name,brand\nA,x,\n", "fr"), "P sku=A name=x brand=\n");
	ck_assert_str_eq(mapped("[{\"sku\":\"A\",\"brand\":null},{\"sku\":\"B\",\"stock\":2}]", "fr"), "P sku=A brand=\nP sku=B stock=2\n");
}
END_TEST

START_TEST(own_variants_name_their_product)
{
	ck_assert_str_eq(mapped("sku,parent_sku,name,options,position,price\nA,,Lamp,,,10\nA-1,A,,Size: L; Colour: red,1,12\n", "fr"),
	    "P sku=A parent= name=Lamp price=1000 options={} position=\n"
	    "V sku=A-1 parent=A name= price=1200 options={\"Size\":\"L\",\"Colour\":\"red\"} position=1\n");
}
END_TEST

START_TEST(files_of_something_else_are_refused)
{
	ck_assert_ptr_nonnull(strstr(mapped("hello,world\n1,2\n", "fr"), "FAIL no column says which product a row is"));
	ck_assert_ptr_nonnull(strstr(mapped("[{\"foo\":1}]", "fr"), "FAIL no column says"));
	ck_assert_str_eq(mapped("sku,name\n", "fr"), "");
}
END_TEST

START_TEST(woocommerce_exports)
{
	ck_assert_str_eq(mapped("ID,Type,SKU,Name,Published,\"In stock?\",Stock,\"Sale price\",\"Regular price\",Categories,Tags,Images,Parent,"
	    "\"Attribute 1 name\",\"Attribute 1 value(s)\",Position\n"
	    "44,variable,tee,Tee &amp; more,1,1,,,,\"Clothing > Tees, Sale\",new,\"https://x.example/a.jpg, https://x.example/b.jpg\",,Color,\"Blue, Red\",0\n"
	    "46,simple,cap,Cap,0,1,7,16,18,\"Hats\\, Caps\",,,,Color,Yellow,0\n"
	    "76,variation,tee-red,Tee - Red,1,0,,,20.5,,,,tee,Color,Red,1\n"
	    "77,variation,,Tee - Blue,1,1,,,15,,,,id:44,Color,Blue,2\n"
	    "78,variation,x,Lost,1,1,,,15,,,,,Color,Blue,2\n", "fr"),
	    "P sku=tee name=Tee & more category=Clothing > Tees status=active images=[{\"url\":\"https://x.example/a.jpg\"},{\"url\":\"https://x.example/b.jpg\"}]"
	    " attributes={\"Color\":\"Blue, Red\",\"Tags\":\"new\",\"Categories\":\"Sale\"}\n"
	    "P sku=cap name=Cap colour=Yellow category=Hats, Caps price=1800 sale=1600 stock=7 status=deleted images=[] attributes={\"Color\":\"Yellow\"}\n"
	    "V sku=tee-red parent=tee price=2050 sale= stock=0 options={\"Color\":\"Red\"} position=1\n"
	    "V sku=woo-77 parent=id:44 price=1500 sale= stock=100 options={\"Color\":\"Blue\"} position=2\n"
	    "BAD 6 Parent: is missing: whose variation is this?\n");
}
END_TEST

START_TEST(shopify_exports)
{
	ck_assert_str_eq(mapped("Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,"
	    "Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,Image Alt Text,Status\n"
	    "lamp,Lamp,<p>Nice</p>,Nova,Lights,,TRUE,Title,Default Title,L1,shopify,5,10.00,12.00,https://x.example/1.jpg,one,active\n"
	    "lamp,,,,,,,,,,,,,,https://x.example/2.jpg,,\n"
	    "tee,Tee,,Nova,Shirts,a,TRUE,Size,S,'T-S,shopify,1,20.00,,,,draft\n"
	    "tee,,,,,,,,M,,,,21.00,,,,\n"
	    "tee,,,,,,,,L,T-L,shopify,x,22.00,,,,\n"
	    "bad,,,,,,TRUE,Size,S,B-S,shopify,1,20.00,,,,active\n"
	    "bad,,,,,,,,M,B-M,shopify,1,20.00,,,,\n", "en"),
	    "P sku=L1 name=Lamp slug=lamp brand=Nova category=Lights description=Nice price=1200 sale=1000 stock=5 status=active"
	    " images=[{\"url\":\"https://x.example/1.jpg\",\"alt\":\"one\"},{\"url\":\"https://x.example/2.jpg\"}] attributes={}\n"
	    "BAD 6 Variant Inventory Qty: is not a whole number\nBAD 7 Title: is missing\n"
	    "P sku=tee name=Tee slug=tee brand=Nova category=Shirts description= status=deleted attributes={\"Tags\":\"a\"}\n"
	    "V sku=T-S parent=tee price=2000 sale= stock=1 options={\"Size\":\"S\"} position=0\n"
	    "V sku=tee-2 parent=tee price=2100 sale= stock=100 options={\"Size\":\"M\"} position=1\n"
	    "BAD 8 Handle: belongs to a product that was refused\n");
}
END_TEST

static const char *
order_lines(const char *text)
{
	static const enum order_field shown[] = { O_NUMBER, O_DATE, O_STATUS, O_CUSTOMER, O_SKU, O_NAME, O_QUANTITY, O_PRICE, O_ADDRESS };
	struct row_source *s = source_open_mem(text, strlen(text), FORMAT_AUTO);
	struct map_options opt = { .currency = "GBP", .locale = "en", .decimal = DECIMAL_POINT };
	struct order_line l;
	struct order_map *m;
	enum map_got got;
	char value[2048];

	dump[0] = '\0';
	memset(&report, 0, sizeof(report));
	report.on_bad = on_bad;
	m = order_map_open(s, &opt, "DELIVERED", &report);
	while ((got = order_map_next(m, &l)) == MAP_ITEM) {
		for (size_t k = 0; k < sizeof(shown) / sizeof(shown[0]); k++) {
			snprintf(value, sizeof(value), "%s%.*s", k > 0 ? "|" : "", (int)l.n[shown[k]], l.v[shown[k]] != NULL ? l.v[shown[k]] : "");
			note(value);
		}
		note("\n");
	}
	if (got == MAP_FAIL) {
		note("FAIL ");
		note(s->why);
	}
	order_map_close(m);
	source_close(s);
	report_release(&report);
	return dump;
}

START_TEST(invoice_lines_are_orders)
{
	ck_assert_str_eq(order_lines("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
	    "536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
	    "C536379,D,Discount,-1,2010-12-01 09:41:00,27.5,14527.0,EIRE\n"
	    "A563185,B,Adjust bad debt,1,2011-08-12 14:50:00,-11062.06,,France\n"
	    "536414,22139,,56,2010-12-01 11:52:00,0,,France\n"
	    "536415,22139,x,0,2010-12-01 11:52:00,1,,France\n"
	    "536416,22139,x,1,yesterday,1,,France\n"
	    ",22139,x,1,2010-12-01,1,,France\n"),
	    "536365|2010-12-01 08:26:00.000000+00|DELIVERED|17850|85123A|HEART|6|255|{\"country\":\"United Kingdom\"}\n"
	    "C536379|2010-12-01 09:41:00.000000+00|CANCELLED|14527|D|Discount|-1|2750|{\"country\":\"EIRE\"}\n"
	    "A563185|2011-08-12 14:50:00.000000+00|DELIVERED||B|Adjust bad debt|1|-1106206|{\"country\":\"France\"}\n"
	    "536414|2010-12-01 11:52:00.000000+00|DELIVERED||22139|22139|56|0|{\"country\":\"France\"}\n"
	    "BAD 6 Quantity: must not be 0\nBAD 7 InvoiceDate: is not a date\nBAD 8 InvoiceNo: is missing\n");
}
END_TEST

START_TEST(order_lines_need_their_columns)
{
	ck_assert_ptr_nonnull(strstr(order_lines("number,sku,quantity,date\n1,A,1,2024-01-01\n"), "FAIL no column is called \"unit_price\""));
	ck_assert_str_eq(order_lines("number,date,status,sku,quantity,unit_price\nO1,2024-01-01,completed,A,1,5\nO2,2024-01-01,lost,A,1,5\n"),
	    "O1|2024-01-01 00:00:00.000000+00|DELIVERED||A|A|1|500|\nBAD 3 status: is not a status such as PAID or DELIVERED\n");
	ck_assert_str_eq(order_lines("number,date,status,sku,quantity,unit_price\nO1,2024-01-01,Livr\xc3\xa9" "e,A,1,5\nO2,2024-01-01,wc-on-hold,A,1,5\n"
	    "O3,2024-01-01,versandt,A,1,5\nO4,2024-01-01,wc-,A,1,5\n"),
	    "O1|2024-01-01 00:00:00.000000+00|DELIVERED||A|A|1|500|\nO2|2024-01-01 00:00:00.000000+00|PENDING||A|A|1|500|\n"
	    "O3|2024-01-01 00:00:00.000000+00|SHIPPED||A|A|1|500|\nBAD 5 status: is not a status such as PAID or DELIVERED\n");
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { own_columns_have_many_names, own_texts_have_languages, own_values_are_checked, columns_without_a_meaning_are_told, empty_and_absent_differ,
		own_variants_name_their_product, files_of_something_else_are_refused, woocommerce_exports, shopify_exports,
		invoice_lines_are_orders, order_lines_need_their_columns, NULL };

	return unit_run("import_map", tests);
}
