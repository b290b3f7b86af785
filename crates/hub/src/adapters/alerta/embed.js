// Shows how many alerts there are, in the place of the script:
// <script src="https://hub.example.org/api/embed.js" data-query="environment=Production"
//   data-title="Production" data-api-key="a key with the scope read:oembed"></script>
(function () {
  "use strict";
  var script = document.currentScript;
  var base = script.src.replace(/\/embed\.js([?#].*)?$/, "");
  var place = document.createElement("div");
  var asked = {
    url: base + "/alerts/count?" + (script.dataset.query || ""),
    title: script.dataset.title || "Alerts",
  };
  var key = script.dataset.apiKey;
  script.parentNode.insertBefore(place, script);
  fetch(base + "/oembed.json?" + new URLSearchParams(asked), {
    headers: key ? { Authorization: "Key " + key } : {},
  })
    .then(function (answer) {
      return answer.json();
    })
    .then(function (said) {
      // The hub escapes what is in it.
      if (said.html) place.innerHTML = said.html;
      else place.textContent = said.message || "";
    })
    .catch(function (error) {
      place.textContent = String(error);
    });
})();
