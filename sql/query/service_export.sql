-- $1 policies or faqs -> the document, to be read by people
SELECT shop.service_export($1)
