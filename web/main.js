// The first module of the web client.
document.body.append(document.title);
